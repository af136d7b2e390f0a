package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shownRequest has the fields of a delivery's request and response that the tests read.
type shownRequest struct {
	Call, Status string
	NotKept      string `json:"request_not_kept"`
	Request      *struct {
		Method, URL, Body string
		BodyBytes         int `json:"body_bytes"`
		Headers           []struct{ Name, Value string }
	}
	Response *struct {
		Code    int
		Excerpt string
	}
}

// The receiver of one call fails, with a response and a request that would move the cursor of a terminal; that of another takes all.
func TestShowAndDeliveriesPrintRequestsAndResponses(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil || r.URL.Path != "/crm/c1" {
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "\x1b[2Jdown for maintenance") // the test reads what arrived
	}))
	t.Cleanup(receiver.Close)
	dev := startDev(t, "--config", fileOf(t, "segue.yaml", fmt.Sprintf(`
calls:
  - name: crm
    method: POST
    url: "%[1]s/crm/${interaction.id}"
    query: [{name: token, value: "t-${interaction.id}"}]
    headers: [{name: X-Attempt, value: "${delivery.attempt}"}]
    text: "${user_data.note}"
    retry: {schedule: [1h]}
  - {name: board, method: POST, url: "%[1]s/board", json: {digits: "${event.digits}"}}
triggers:
  - {when: [interaction_starts, inbound.dtmf], call: crm}
  - {when: inbound.dtmf, call: board}
guard: {allow: ["127.0.0.0/8"]}
`, receiver.URL)))
	note := strings.Repeat("x", 2000)
	require.Equal(t, 0, dev.run(t, "start", `{"id":"c1","channel":"inbound","user_data":{"note":"\u001b[31mred `+note+`"}}`).code)
	waiting := eventually(t, dev, 1, "deliveries")

	for _, args := range [][]string{{"show", "c1"}, {"deliveries", "c1"}, {"deliveries", "--id", waiting[0].ID}} {
		out := dev.run(t, args...).out
		for _, part := range []string{
			waiting[0].ID + ": call crm for event ", "(interaction_starts), waiting", "  POST " + receiver.URL + "/crm/c1?token=***\n", "  X-Attempt: 1\n",
			"\uFFFD[31mred xxx", " more bytes: --full", "503 Service Unavailable, http_5xx at ", "\uFFFD[2Jdown for maintenance",
		} {
			require.Contains(t, out, part, args)
		}
		require.NotContains(t, out, "\x1b", args)
		require.NotContains(t, out, note, args)
		full := dev.run(t, append(args, "--full")...).out
		require.Contains(t, full, note, args)
		require.NotContains(t, full, "--full", args)
	}
	require.NotContains(t, dev.run(t, "deliveries").out, "POST", "the list of the namespace has none")

	var listed []shownRequest
	dev.into(t, &listed, "deliveries", "c1")
	require.Equal(t, "POST", listed[0].Request.Method)
	require.Len(t, listed[0].Request.Body, 600)
	require.Equal(t, len("\x1b[31mred ")+len(note), listed[0].Request.BodyBytes)
	require.Equal(t, 503, listed[0].Response.Code)
	require.Equal(t, "\x1b[2Jdown for maintenance", listed[0].Response.Excerpt)

	t.Run("a request that was delivered within the workflow task is not on record", func(t *testing.T) {
		var shown struct{ Deliveries []shownRequest }
		require.Eventually(t, func() bool { // the first requests to a receiver are sent by Attempt
			require.Equal(t, 0, dev.run(t, "signal", "dtmf", "c1", `{"digits":"7"}`, "--update").code)
			dev.into(t, &shown, "show", "c1")
			return shown.Deliveries[len(shown.Deliveries)-1].NotKept != ""
		}, 20*time.Second, 50*time.Millisecond)
		for _, d := range shown.Deliveries {
			require.Equal(t, d.NotKept == "", d.Request != nil)
			if d.Call == "board" && d.Request != nil {
				require.Equal(t, `{"digits":"7"}`, d.Request.Body)
			}
		}
		out := dev.run(t, "show", "c1").out
		require.Contains(t, out, "not on record: sent within the workflow task")
		require.Contains(t, out, "`segue check` shows what a call sends")
	})
	t.Run("five requests are printed, and all with --full", func(t *testing.T) {
		var listed []shownRequest
		for range 6 {
			require.Equal(t, 0, dev.run(t, "signal", "dtmf", "c1", `{"digits":"7"}`, "--update").code)
		}
		require.Eventually(t, func() bool {
			dev.into(t, &listed, "deliveries", "c1", "--call", "crm")
			return len(listed) > 6 && !slices.ContainsFunc(listed, func(d shownRequest) bool { return d.Request == nil })
		}, 20*time.Second, 50*time.Millisecond)
		out := dev.run(t, "deliveries", "c1", "--call", "crm").out
		require.Equal(t, 5, strings.Count(out, ": call crm for event "))
		require.Contains(t, out, fmt.Sprintf("%d more requests are not shown", len(listed)-5))
		require.Equal(t, len(listed), strings.Count(dev.run(t, "deliveries", "c1", "--call", "crm", "--full").out, ": call crm for event "))
	})
}
