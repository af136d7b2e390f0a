package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"segue/config"
	"segue/connect"
	"segue/dispatch"
	"segue/embedded"
	"segue/worker/host"
	"segue/workflows"
)

// lab is one embedded Temporal with a Segue worker and a bare one, and a receiver.
type lab struct {
	server   *embedded.Server
	client   client.Client
	receiver *receiver
	bare     sdkworker.Worker
	store    *config.Store
	stopHost context.CancelFunc
	hostDone chan error
}

// receiver notes when each POST arrives, and takes its time to answer.
type receiver struct {
	url      string
	delay    atomic.Int64
	arrivals chan time.Time
	server   *http.Server
}

func openReceiver() (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + listener.Addr().String() + "/", arrivals: make(chan time.Time, 1)}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "receiver:", err)
		}
	}()
	return r, nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	arrived := time.Now()
	_, _ = io.Copy(io.Discard, request.Body) // the body does not matter here
	time.Sleep(time.Duration(r.delay.Load()))
	w.WriteHeader(http.StatusOK)
	r.arrivals <- arrived
}

func openLab(ctx context.Context) (*lab, error) {
	l := &lab{hostDone: make(chan error, 1)}
	var err error
	l.server, err = embedded.Start(ctx, embedded.Options{
		UIPort: -1, SearchAttributes: connect.SearchAttributeTypes(),
		Progress: func(text string) { fmt.Fprintln(os.Stderr, text) },
	})
	if err != nil {
		return nil, err
	}
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if l.client, err = connect.Dial(ctx, connect.Settings{Address: l.server.Address}, quiet, plugin); err != nil {
		return nil, err
	}
	if l.receiver, err = openReceiver(); err != nil {
		return nil, err
	}
	set, err := config.Parse("bench.yaml", []byte(fmt.Sprintf(`
calls:
  - name: probe
    method: POST
    url: %s
    json: {id: "${interaction.id}", digits: "${event.digits}"}
triggers:
  - {when: inbound.dtmf, call: probe}
guard: {allow: ["127.0.0.0/8"]}
`, l.receiver.url)))
	if err != nil {
		return nil, err
	}
	l.store = config.NewStore(set)
	hostCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stopHost = stop
	go func() {
		l.hostDone <- host.Run(hostCtx, host.Options{Client: l.client, TaskQueue: "segue", Config: l.store, Log: quiet})
	}()
	l.bare = sdkworker.New(l.client, "bare", sdkworker.Options{})
	l.bare.RegisterWorkflow(Bare)
	l.bare.RegisterActivity(Post)
	return l, l.bare.Start()
}

func (l *lab) close() {
	l.stopHost()
	err := <-l.hostDone
	l.bare.Stop()
	l.client.Close()
	if err = errors.Join(err, l.receiver.server.Close(), l.server.Stop()); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
	}
}

// compare measures both in turn, command by command, so that a drift of the
// machine's speed meets both alike.
func (l *lab) compare(ctx context.Context, delay time.Duration, samples int, way string) (result, error) {
	l.receiver.delay.Store(int64(delay))
	id := fmt.Sprintf("bench-%d", delay.Milliseconds())
	workflowID := dispatch.InteractionWorkflowID("bench", id)
	start := json.RawMessage(fmt.Sprintf(`{"id":%q,"contact_center":"bench","channel":"inbound"}`, id))
	if _, err := l.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflowID, TaskQueue: "segue"}, workflows.TypeInteraction, start); err != nil {
		return result{}, err
	}
	if _, err := l.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "bare-" + id, TaskQueue: "bare"}, Bare, way); err != nil {
		return result{}, err
	}
	var segue, bare []time.Duration
	const warmup = 10
	for i := range samples + warmup {
		took, err := l.once(ctx, workflowID, "dtmf", json.RawMessage(fmt.Sprintf(`{"digits":"%d"}`, i)))
		if err != nil {
			return result{}, fmt.Errorf("segue: %w", err)
		}
		baseline, err := l.once(ctx, "bare-"+id, "post", l.receiver.url)
		if err != nil {
			return result{}, fmt.Errorf("bare: %w", err)
		}
		if i >= warmup {
			segue, bare = append(segue, took), append(bare, baseline)
		}
	}
	return result{
		ReceiverMS: ms(delay), Samples: samples, Bare: way,
		SegueP50: ms(quantile(segue, 0.5)), SegueP95: ms(quantile(segue, 0.95)),
		BareP50: ms(quantile(bare, 0.5)), BareP95: ms(quantile(bare, 0.95)),
		Ratio: float64(quantile(segue, 0.5)) / float64(quantile(bare, 0.5)),
	}, nil
}

// once sends one command and waits for its POST, its answer, and the rest that
// makes the server idle again.
func (l *lab) once(ctx context.Context, workflowID, update string, payload any) (time.Duration, error) {
	begin := time.Now()
	handle, err := l.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflowID, UpdateName: update, Args: []any{payload}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return 0, err
	}
	if err := handle.Get(ctx, nil); err != nil {
		return 0, err
	}
	select {
	case arrived := <-l.receiver.arrivals:
		return arrived.Sub(begin), l.idle(ctx, workflowID)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-time.After(30 * time.Second):
		return 0, errors.New("the POST did not come within 30 s")
	}
}

// idle waits until the workflow has no activity under way.
func (l *lab) idle(ctx context.Context, workflowID string) error {
	for {
		description, err := l.client.DescribeWorkflowExecution(ctx, workflowID, "")
		if err != nil {
			return err
		}
		if len(description.GetPendingActivities()) == 0 && description.GetPendingWorkflowTask() == nil {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func quantile(values []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(float64(len(sorted))*q), len(sorted)-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
