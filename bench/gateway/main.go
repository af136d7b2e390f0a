// Command gateway judges what the gateway costs. It has these parts, each a comparison in one run on one embedded Temporal,
// with interactions that have six commands, of which each fires one POST to a receiver that takes 2 ms:
//
//	open     commands by POST /v1/interactions/{id}/commands/{name} to a gateway without credentials,
//	         against the same updates sent by gRPC from a Go program with package client
//	key      the same to a gateway with an API key
//	notices  updates by gRPC to a worker that publishes live notices, against a worker that publishes none
//	events   2,000 connected clients, while interactions are played at a steady rate: of GET /v1/events (sse), of CometD by
//	         long-polling, and of CometD by WebSocket, under the same load: each client has the events of an agent of its own
//	         (own: a command reaches one client), then ten clients have those of the same agent (ten: a command reaches ten);
//	         then SSE alone with all events (all: a command reaches all), which no agent of GWS gets
//
// Gateways, workers and the server are processes of their own; a gateway runs as in `segue serve`: with its bus, its index,
// metrics and an access log. In the first two parts both contenders have the same worker, which publishes notices to the
// gateway. The load generator and the receiver are this process. The run is void, with exit status 1, if the receiver gets
// a POST twice or not at all, or if a command is not answered with success.
//
//	go run -C bench ./gateway
//	go run -C bench ./gateway --quick
//	go run -C bench ./gateway --part key --rounds 20 --json
//	go run -C bench ./gateway --part open --profile cpu; go tool pprof cpu.gateway
//
// A row of the tables is one contender with 1, 20 or 60 commands in flight, each of another interaction. Interactions are
// started before the measured time, each contender's in its own way. The contenders alternate, a second or two each, and
// the order is reversed in each round.
//
// The columns:
//
//	cmd/s      commands that were answered in a second
//	p50, p95   from sending a command to its answer
//	gateway, worker, server, load
//	           CPU in ms for 1,000 commands, until their interactions have closed; Linux only. The server is the embedded
//	           Temporal; the load is this process with the load generator and the receiver
//
// Of events, a measurement has a gateway of its own. The columns:
//
//	notified   changes of which a client was notified, once for each client
//	messages   what clients got: a change has one or more events of SSE, and one or more messages on each of the two topics
//	           of CometD. CometD has none for dtmf, which changes nothing that an agent of GWS sees
//	p50, p99   from sending a command to its first message at a client (of CometD, on each topic)
//	answered   p99 from the command's answer instead
//	kB         what a client adds to the gateway: resident memory when all are connected (open) and after the load (load);
//	           after the load also its live heap and its stacks
//	gateway, clients
//	           CPU in seconds for 1,000 notified, of the gateway and of the process that has the clients
//	reconn.    connections that broke and were made again
//
// The clients acknowledge messages of CometD. The run is void if a notification does not arrive, comes twice, or is of
// another agent, if a stream of SSE ends or is resynced, or if a session of CometD ends.
//
// A ratio below the tables is the median of the rounds' ratios. Ratios do not depend on the machine as the other figures do,
// but the rates do on how many cores the processes share. Each ratio has its goal beside it; a missed goal does not change
// the exit status.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 2 && child[os.Args[1]] != nil {
		if err := child[os.Args[1]](context.Background()); err != nil {
			fmt.Fprintf(os.Stderr, "gateway: %s: %v\n", os.Args[1], err)
			os.Exit(1)
		}
		return
	}
	isQuick := flag.Bool("quick", false, "measure for about two minutes")
	rounds := flag.Int("rounds", 8, "how often each load is measured for each contender")
	only := flag.String("part", "", "measure one part: "+strings.Join(partNames(), ", "))
	profile := flag.String("profile", "", "write CPU profiles of gateways and workers to files with this name and the process")
	asJSON := flag.Bool("json", false, "print one JSON object")
	flag.Parse()
	if *rounds < 1 || flag.NArg() > 0 || *only != "" && !slices.Contains(partNames(), *only) {
		fmt.Fprintf(os.Stderr, "gateway: --rounds is 1 or more, --part one of %s, and there are no arguments\n", strings.Join(partNames(), ", "))
		os.Exit(2)
	}
	p := plan{rounds: *rounds, only: *only, profile: *profile, loads: full, streams: fullStreams}
	if *isQuick {
		p.rounds, p.loads, p.streams = 2, quick, quickStreams
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	got, err := measure(ctx, p)
	if err == nil && *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(got)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
	if !*asJSON {
		fmt.Print(got.text())
	}
}

// child are the functions of the child processes by their argument.
var child = map[string]func(context.Context) error{gatewayArgument: runGateway, workerArgument: runWorker, listenersArgument: runListeners}

// load is how many commands are in flight, and how many interactions a contender gets in one round.
type load struct{ inFlight, interactions int }

var full = []load{{1, 40}, {20, 160}, {60, 240}}
var quick = []load{{1, 15}, {20, 80}, {60, 120}}

var fullStreams = slices.Concat(
	overEach(streams{name: "own", clients: 2000, sharing: 1, perSecond: 10, lasts: 30 * time.Second}),
	overEach(streams{name: "ten", clients: 2000, sharing: 10, perSecond: 10, lasts: 30 * time.Second}),
	[]streams{{name: "all", transport: bySSE, clients: 2000, perSecond: 1, lasts: 20 * time.Second}},
)

var quickStreams = overEach(streams{name: "own", clients: 2000, sharing: 1, perSecond: 10, lasts: 5 * time.Second})

// overEach returns a measurement over each transport.
func overEach(s streams) []streams {
	var all []streams
	for _, s.transport = range []string{bySSE, byPolling, byWebSocket} {
		all = append(all, s)
	}
	return all
}

// plan is what is measured.
type plan struct {
	rounds int
	// only is the name of the only part; empty is all of them.
	only    string
	profile string
	loads   []load
	streams []streams
}

func partNames() []string { return []string{partOpen, partKey, partNotices, partEvents} }
