package host_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/worker/host"
)

const twoCalls = `
guard: {allow: [127.0.0.0/8]}
calls:
  - {name: crm, method: POST, url: "http://127.0.0.1:1/crm"}
  - {name: erp, method: POST, url: "http://127.0.0.1:1/erp"}
`

func storeOf(t *testing.T, text string) *config.Store {
	t.Helper()
	set, err := config.Parse("f.yaml", []byte(text))
	require.NoError(t, err)
	return config.NewStore(set)
}

func TestAWorkerReportsEachReceiverEvery5Seconds(t *testing.T) {
	store := storeOf(t, twoCalls)
	synctest.Test(t, func(t *testing.T) {
		sender := delivery.New(delivery.Options{Log: discard})
		var published [][]contract.ReceiverReport
		var away atomic.Bool
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			host.ReportReceivers(ctx, store, sender, func(reports []contract.ReceiverReport) error {
				if away.Load() {
					return bus.ErrAway
				}
				published = append(published, reports)
				return nil
			})
		})
		time.Sleep(11 * time.Second) // of the bubble's time
		synctest.Wait()
		require.Len(t, published, 3, "at once, after 5 and after 10 seconds")
		away.Store(true)
		time.Sleep(time.Minute)
		away.Store(false)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Len(t, published, 4, "what the bus did not get is lost, and the next one replaces it")
		last := published[3]
		require.Len(t, last, 2)
		require.Equal(t, "crm", last[0].Call)
		require.Equal(t, "erp", last[1].Call)
		require.Equal(t, contract.ReceiverHealthy, last[0].State)
		require.NotEmpty(t, last[0].Worker)
		require.Equal(t, last[0].Worker, published[0][1].Worker, "one name for the life of the process")
		require.WithinDuration(t, time.Now(), last[0].At, 5*time.Second)
		cancel()
		running.Wait()
	})
}

func TestAReportHasWhatTheSenderHasSeen(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer receiver.Close()
	store := storeOf(t, `
guard: {allow: [127.0.0.0/8]}
calls: [{name: crm, method: POST, url: "`+receiver.URL+`"}]
`)
	sender, err := host.NewSender(store.Current(), discard)
	require.NoError(t, err)
	call, _ := store.Current().Call("crm")
	outcome := sender.Send(t.Context(), call.Policy, contract.Request{ID: "msg_1", Method: "POST", URL: receiver.URL}, 1)
	require.Equal(t, "http_5xx", outcome.Class, outcome.Message)

	server, err := bus.Embed(bus.ServerOptions{Log: discard})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := bus.Connect(bus.Options{Server: server, Log: discard})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.Eventually(t, conn.Connected, time.Minute, time.Millisecond)
	got := make(chan contract.ReceiverReport, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = conn.Receivers(ctx, func(r contract.ReceiverReport) { got <- r }) })
	running.Go(func() { host.ReportReceivers(ctx, store, sender, conn.PublishReceivers) })
	select {
	case report := <-got:
		require.Equal(t, contract.ReceiverFailing, report.State)
		require.Positive(t, report.P95)
	case <-time.After(time.Minute):
		t.Fatal("no report")
	}
	cancel()
	running.Wait()
}
