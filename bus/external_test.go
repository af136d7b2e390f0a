package bus_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/contract"
)

// external starts a server with the configuration that docs/bus.md shows, without its TLS.
func external(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/bus.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```\n(jetstream \\{.*?)```").FindSubmatch(page)
	require.NotNil(t, block, "docs/bus.md shows no configuration")
	directory := t.TempDir()
	config := strings.ReplaceAll(string(block[1]), "/data/jetstream", directory)
	config = regexp.MustCompile(`(?m)^tls .*$`).ReplaceAllString(config, "")
	file := filepath.Join(directory, "nats.conf")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	t.Setenv("GATEWAY_PASSWORD", "g")
	t.Setenv("WORKER_PASSWORD", "w")
	options, err := server.ProcessConfigFile(file)
	require.NoError(t, err)
	options.Host, options.Port, options.NoSigs, options.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	s, err := server.NewServer(options)
	require.NoError(t, err)
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(patience))
	return s.ClientURL()
}

func TestThePermissionsInTheDocumentationSuffice(t *testing.T) {
	url := external(t)
	g := gateway(t, asGateway(url))
	second := gateway(t, asGateway(url))
	w := connect(t, asWorker(url))
	p := publisher(t, w)
	began := ready(t, g)
	l, dues, reports := read(t, g, began), readDues(t, g), readReceivers(t, g)
	p.Publish(notice("one", 1))
	l.waitRevision(t, "one", 1)
	require.NoError(t, second.PublishNow(t.Context(), notice("one", 2)))
	l.waitRevision(t, "one", 2)

	due := contract.Due{ContactCenter: "acme", Interaction: "one", RunID: "run-one", Revision: 3}
	report := contract.ReceiverReport{Worker: "w", Call: "crm", State: contract.ReceiverSlow, P95: 900, At: time.Unix(1, 0).UTC()}
	require.Eventually(t, func() bool {
		p.Due(due)
		return dues.has(due) && w.PublishReceivers([]contract.ReceiverReport{report}) == nil && len(reports) > 0
	}, patience, 10*time.Millisecond)
	require.Equal(t, report, <-reports)

	all, changes := readAgents(t, second)
	require.Empty(t, <-all)
	require.Eventually(t, func() bool {
		_, err := g.WriteAgent(t.Context(), "acme", "ann", []byte("one"), 0)
		return err == nil
	}, patience, 10*time.Millisecond)
	require.Equal(t, "one", string((<-changes).Value))
	_, err := w.WriteAgent(t.Context(), "acme", "bob", []byte("two"), 0)
	require.Error(t, err, "a worker")
	found, err := g.ReadAgent(t.Context(), "acme", "bob")
	require.NoError(t, err)
	require.Zero(t, found.Revision)

	nc, err := nats.Connect(url, nats.UserInfo("gateway", "g"))
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), bus.StreamName)
	require.NoError(t, err)
	require.Equal(t, jetstream.FileStorage, stream.CachedInfo().Config.Storage)
}

func TestAStreamOfTheOperatorIsKept(t *testing.T) {
	url := external(t)
	nc, err := nats.Connect(url, nats.UserInfo("gateway", "g"))
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: bus.StreamName, Subjects: []string{"segue.live.>"}, Storage: jetstream.MemoryStorage, MaxBytes: 1 << 20,
	})
	require.NoError(t, err)
	o := asGateway(url)
	o.MaxBytes = 2 << 20
	g := gateway(t, o)
	require.Eventually(t, func() bool {
		stream, err := js.Stream(t.Context(), bus.StreamName)
		return err == nil && stream.CachedInfo().Config.MaxBytes == 2<<20 && stream.CachedInfo().Config.MaxAge == bus.MaxAge &&
			stream.CachedInfo().Config.Storage == jetstream.MemoryStorage
	}, patience, 10*time.Millisecond)

	began := ready(t, g)
	l := read(t, g, began)
	require.NoError(t, js.DeleteStream(t.Context(), bus.StreamName))
	require.ErrorIs(t, <-l.ended, bus.ErrLost)
	require.NotEqual(t, began.Epoch, ready(t, g).Epoch)
}

func readReceivers(t *testing.T, c *bus.Conn) <-chan contract.ReceiverReport {
	t.Helper()
	reports := make(chan contract.ReceiverReport, 1)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Receivers(ctx, func(r contract.ReceiverReport) {
			select {
			case reports <- r:
			default:
			}
		})
	}()
	t.Cleanup(func() { cancel(); <-done })
	return reports
}
