package architecture_test

// rule says what the packages of a room may import. Names are patterns: "x" is the package x, "x/..." is x and all below
// it. A package of this repository is named by its folder, any other by its import path.
type rule struct {
	room string
	// only lists all rooms of this repository that the room may import besides the leaves; nil for no such list.
	only []string
	// never lists what the room must not import, and packages of this repository not through others either.
	never []string
	// std forbids everything but the standard library and this repository.
	std bool
	// tests makes the rule hold for the room's tests, too.
	tests  bool
	reason string
}

// leaves know nothing of Segue, so that every room may import them.
var leaves = []string{"spelling", "excerpt"}

// Groups of packages that several rules name.
var (
	temporal = "go.temporal.io/..."
	impure   = []string{"net/...", "os/...", "math/rand/...", "crypto/rand", temporal}
	commands = []string{"starter/...", "bench/...", "e2e/...", "replay/record", "github.com/spf13/..."}
)

// rules are those of single rooms.
var rules = []rule{
	{room: "spelling", only: none, std: true, tests: true, reason: "a leaf knows no other room"},
	{room: "excerpt", only: none, std: true, tests: true, reason: "a leaf knows no other room"},

	// The domain.
	{room: "interaction", only: none, never: impure, std: true,
		reason: "the domain is pure: the same command and instant give the same result on every machine and in every replay"},
	{room: "interaction/intake", only: []string{"interaction"}, never: impure, std: true,
		reason: "the domain is pure: the same command and instant give the same result on every machine and in every replay"},
	{room: "expr", only: []string{"interaction"}, never: append([]string{"go.yaml.in/...", "encoding/xml"}, impure...),
		reason: "an expression is about data alone: not about HTTP, YAML or how a value is escaped"},
	{room: "trigger", only: []string{"expr", "interaction"}, never: append([]string{"go.yaml.in/..."}, impure...),
		reason: "a trigger sees one event and its interaction, not how a call is rendered, sent or configured"},

	// The contract, and what is on either side of it.
	{room: "contract", only: []string{"interaction/..."}, never: []string{"net/...", "os/..."},
		reason: "the contract is below workflows, activities, clients and gateways, so that all can share it"},
	{room: "workflows/...", only: []string{"contract", "interaction/...", "metrics/...", "workflows/..."},
		never: []string{"net/...", "os/...", "math/rand/...", "crypto/rand"}, tests: true,
		reason: "workflow code is deterministic: configuration, HTTP and randomness come back from activities"},
	{room: "workflows/committed", only: none, reason: "it knows histories, not what is in them"},
	{room: "workflows/notices", only: []string{"contract"}, never: []string{"bus", "github.com/nats-io/..."},
		reason: "it knows when a change counts, not where its notice goes"},
	{room: "activities", never: []string{"workflows/...", "replay/...", "recovery", "worker/...", "gateway/...", "starter/..."}, tests: true,
		reason: "activities and workflows know each other by package contract alone"},
	{room: "client/...", only: []string{"client/...", "contract", "interaction/..."}, never: commands, tests: true,
		reason: "a client knows the contract, not how a command is judged, so that any platform can use it"},
	{room: "gateway/...", never: append([]string{"workflows/...", "activities/...", "worker/..."}, commands...), tests: true,
		reason: "a gateway reaches workflows as any other client does, through client and contract"},
	{room: "gateway/board", only: []string{"bus", "client/...", "config", "contract", "gateway/index", "interaction", "metrics"}, never: []string{"net/http"},
		reason: "figures do not know who sees them, nor how"},
	{room: "gateway/index", only: []string{"bus", "client", "contract", "interaction"}, never: []string{"net/http"},
		reason: "the index does not know which face shows what it has"},
	{room: "gateway/commands", only: []string{"client", "contract", "interaction"}, never: []string{"net/http"},
		reason: "a sender knows neither a face nor who may give a command"},
	{room: "gateway/auth", only: []string{"config", "delivery", "gateway/problem", "interaction"},
		reason: "authentication knows neither what a request asks for nor Temporal"},
	{room: "gateway/presence", only: []string{"bus"}, never: []string{"net/http"},
		reason: "presence is soft state on the bus, and no face's"},
	{room: "gateway/problem", only: []string{"client", "contract", "interaction"}, reason: "problems are below every face"},
	{room: "gateway/cometd", only: none, never: []string{temporal, "github.com/nats-io/..."},
		reason: "a Bayeux server knows neither what its messages are about nor how a credential is checked"},
	{room: "gateway/body", only: []string{"gateway/problem"}, reason: "bodies are read in the same way for each face"},
	{room: "gateway/gws", only: []string{"client", "contract", "gateway/auth", "gateway/body", "gateway/commands", "gateway/gws/...", "gateway/index",
		"gateway/presence", "gateway/problem", "interaction"},
		reason: "a face judges no command, and does not know the wire of its notifications"},
	{room: "gateway/engagement", only: []string{"client", "contract", "gateway/auth", "gateway/body", "gateway/commands", "gateway/engagement/ticket",
		"gateway/problem", "interaction"}, never: []string{temporal},
		reason: "a face judges no command, and does not know how a page gets its invitation"},
	{room: "gateway/engagement/ticket", only: none, never: []string{"net/http"}, reason: "a token knows neither who shows it nor what it is good for"},
	{room: "gateway/engagement/visitor", only: []string{"bus", "client", "gateway/auth", "gateway/cometd", "gateway/engagement", "gateway/engagement/ticket",
		"gateway/index", "gateway/limits", "gateway/problem", "gateway/stopping", "interaction"},
		reason: "pages of visitors follow what happens: they give no command"},
	{room: "gateway/desktop", only: []string{"bus", "client", "contract", "gateway/auth", "gateway/body", "gateway/commands", "gateway/desktop/...", "gateway/index",
		"gateway/limits", "gateway/problem", "gateway/stopping", "interaction"},
		reason: "a face judges no command, and gets its settings as values"},
	{room: "gateway/offers", only: []string{"config", "delivery", "interaction"}, never: []string{temporal},
		reason: "a source of offers does not know who shows them"},
	{room: "gateway/parts", only: []string{"contract", "interaction"}, never: []string{"net/http"},
		reason: "which part an agent has does not depend on who shows it"},
	{room: "gateway/desktop/view", only: []string{"contract", "gateway/parts", "interaction"}, never: []string{"net/http", "github.com/coder/..."},
		reason: "a view knows neither where a state came from nor who sees it"},
	{room: "gateway/platform", only: []string{"bus", "client/...", "contract", "gateway/...", "interaction/..."},
		reason: "a face gets its settings as values, and asks packages client, commands and index"},
	{room: "gateway/gws/notify", only: []string{"bus", "client", "contract", "gateway/cometd", "gateway/gws/view", "gateway/index", "gateway/presence", "interaction"},
		reason: "a notifier follows what happens: it gives no command and answers no request"},
	{room: "gateway/gws/view", only: []string{"contract", "gateway/parts", "gateway/presence", "interaction"}, never: []string{"net/http"},
		reason: "a view knows neither where a state came from nor who sees it"},
	{room: "bus", only: []string{"contract"}, never: []string{"go.temporal.io/sdk/client", "go.temporal.io/sdk/worker", "net/http"},
		reason: "the bus carries notices: it knows neither what an interaction is nor who shows it"},

	// Configuration and delivery.
	{room: "config/...", only: []string{"config/...", "contract", "delivery", "expr", "interaction/...", "request", "trigger"},
		never: []string{temporal, "net/http"}, tests: true,
		reason: "the configuration knows neither Temporal nor a socket"},
	{room: "request", only: []string{"contract", "expr", "interaction/..."}, never: append([]string{"net", "net/http"}, temporal, "os/...", "math/rand/...", "crypto/rand"),
		reason: "rendering is pure: the same call, interaction and event give the same bytes"},
	{room: "delivery", only: []string{"contract", "metrics"}, never: []string{temporal},
		reason: "delivery sends what it is given: it knows neither Temporal nor how a request was rendered"},
	{room: "gateway/index/indextest", only: []string{"client", "contract", "interaction"}, never: []string{"net/http"},
		reason: "a Temporal in memory does not know who follows its interactions"},
	{room: "delivery/hostiletest", only: none, tests: true,
		reason: "a hostile receiver does only what a foreign server can do"},
	{room: "alerts", only: []string{"contract", "delivery"},
		reason: "a reporter reports what it observes, not what the configuration makes of it"},
	{room: "metrics", only: none, never: []string{temporal, "net/http"},
		reason: "instruments know neither what they measure nor who reads them"},
	{room: "reload", only: []string{"config", "metrics"}, reason: "a reloader does not know what a process does with its configuration"},
	{room: "metrics/export", only: []string{"metrics"}, reason: "the exporter does not know what is measured"},

	// Processes and tools.
	{room: "connect", only: none, reason: "it connects any process to any Temporal, and gets its settings as values"},
	{room: "embedded/...", only: none, std: true, reason: "it runs the server as a process, and knows its packages as little as Segue's"},
	{room: "devserver/...", only: none, reason: "the embedded server knows nothing of Segue: names come by flag"},
	{room: "replay", only: []string{"workflows"}, reason: "a replay does not know how a history was recorded"},
	{room: "recovery", only: []string{"contract", "interaction/...", "replay", "workflows"},
		reason: "recovery reads histories: it knows neither the configuration nor a receiver"},
	{room: "worker/host", never: append([]string{"embedded/...", "worker/local", "gateway/..."}, commands...),
		reason: "a worker does not know the command line, nor whether it runs alone or inside segue dev"},
	{room: "worker/local", never: append([]string{"testing"}, commands...),
		reason: "the harness does not know its users: commands, benchmarks and tests"},
	{room: "examples", only: none, std: true, reason: "examples are files to copy"},

	// What end-to-end tests use.
	{room: "e2e/stack", only: []string{"bus", "config", "connect", "embedded", "gateway", "worker/local", "workflows/notices"},
		reason: "what runs beneath a test knows no face, and not what the test is about"},
	{room: "e2e/cut", only: none, std: true, reason: "a proxy knows connections, not what passes over them"},

	// The command line.
	{room: "starter/audit", never: []string{"activities/...", "config/...", "connect", "delivery/...", "embedded/...", "request", "github.com/spf13/..."},
		reason: "an audit neither connects, shows nor sends: it repairs through the workflows"},
	{room: "starter/draw", only: none, never: impure, std: true, reason: "a drawing knows names and instants, not Temporal or a terminal"},
	{room: "starter/listen", only: []string{"interaction", "starter/draw"}, never: []string{temporal, "github.com/spf13/..."},
		reason: "a receiver shows what arrives, whatever Segue means to send"},
	{room: "starter/demo", never: []string{"workflows/...", "activities/...", "worker/...", "github.com/spf13/..."},
		reason: "the demo computes what must arrive without asking the code that it checks"},
	{room: "starter/demo/day", only: []string{"interaction"}, never: []string{temporal, "net/..."},
		reason: "the generator of a day knows the state machine alone"},
}

// none is the list of a room that imports no other.
var none = []string{}

// private rooms are imported only by the rooms listed.
var private = []struct {
	room   string
	by     []string
	tests  bool
	reason string
}{
	{"starter/...", []string{"starter/...", "e2e/..."}, true, "the command line is built from rooms, never the other way round"},
	{"bench/...", []string{"bench/..."}, true, "nothing in the product depends on a benchmark"},
	{"e2e/...", []string{"e2e/..."}, false, "nothing in the product depends on a test"},
	{"e2e/stack", []string{"e2e/..."}, true, "what end-to-end tests use is for them alone"},
	{"e2e/cut", []string{"e2e/..."}, true, "what end-to-end tests use is for them alone"},
	{"delivery/hostiletest", nil, false, "hostile receivers are for tests alone"},
	{"metrics/metricstest", nil, false, "reading instruments back is for tests alone"},
	{"bus/bustest", nil, false, "a bus in memory is for tests alone"},
	{"gateway/index/indextest", nil, false, "a Temporal in memory is for tests alone"},
	{"embedded/postgres", nil, false, "a PostgreSQL that is removed at the end is for tests alone"},
	{"worker/local", []string{"starter", "bench/...", "e2e/...", "replay/record"}, true, "production runs worker, not a harness"},
}
