package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDevServesItsHealthAndReloadsItsFile(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	file := configFor(t, receiver.URL)
	dev := startDev(t, "--config", file, "--metrics-address", "127.0.0.1:0")
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/metrics$`, dev.ready.Metrics)
	get := func(url string) string {
		response, err := http.Get(url)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(body)
	}
	type health struct {
		Ready         bool
		Configuration struct {
			File       string
			LastReload struct{ Outcome string } `json:"last_reload"`
		}
	}
	awaitReload := func(outcome string) {
		t.Helper()
		var h health
		require.Eventually(t, func() bool {
			require.NoError(t, json.Unmarshal([]byte(get(strings.TrimSuffix(dev.ready.Metrics, "metrics")+"readyz")), &h))
			return h.Ready && h.Configuration.LastReload.Outcome == outcome
		}, time.Minute, 50*time.Millisecond, outcome)
		require.Equal(t, file, h.Configuration.File)
	}
	awaitReload("")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), "POST", "PUT", 1)), 0o600))
	awaitReload("loaded")
	require.NoError(t, os.WriteFile(file, []byte("calls: ["), 0o600))
	awaitReload("rejected")
	require.Contains(t, get(dev.ready.Metrics), `segue_config_reloads_total{outcome="rejected"} 1`)
	require.Equal(t, 0, dev.interrupt(t))
}
