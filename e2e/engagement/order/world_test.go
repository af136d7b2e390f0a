package order_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// backend is the backend of all tests. A visit decides what it does: one with a plan is answered by that, one without
// is answered with 200.
var backend recorder

// recorder records callbacks in the order in which they were answered.
type recorder struct {
	mu    sync.Mutex
	calls []call
	plans map[string]func(call) int
}

// call is a callback: engage or noengage, its visit, body, and the headers that say what it is about.
type call struct {
	name, visit, body, attempt, key string
	status                          int
}

func (b *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var object map[string]struct{ VisitID string }
	if err != nil || json.Unmarshal(body, &object) != nil {
		panic(http.ErrAbortHandler)
	}
	one := call{name: path.Base(r.URL.Path), body: string(body), attempt: r.Header.Get("Segue-Engagement"), key: r.Header.Get("Idempotency-Key"), status: 200}
	for _, parameter := range object {
		one.visit = parameter.VisitID
	}
	b.mu.Lock()
	plan := b.plans[one.visit]
	b.mu.Unlock()
	if plan != nil {
		one.status = plan(one)
	}
	b.mu.Lock()
	b.calls = append(b.calls, one)
	b.mu.Unlock()
	w.WriteHeader(one.status)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

// plan says how the callbacks of a visit are answered.
func (b *recorder) plan(visit string, status func(call) int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.plans == nil {
		b.plans = map[string]func(call) int{}
	}
	b.plans[visit] = status
}

// of returns the callbacks of a visit, each "NAME STATUS".
func (b *recorder) of(visit string) (names []string, calls []call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.calls {
		if one.visit == visit {
			names, calls = append(names, fmt.Sprint(one.name, " ", one.status)), append(calls, one)
		}
	}
	return names, calls
}

// send sends a request to a gateway, and returns its status and its answer.
func send(ctx context.Context, method, to, body string, headers ...string) (status int, answer any, err error) {
	r, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return response.StatusCode, nil, fmt.Errorf("%s %s: %w", method, to, err)
	}
	return response.StatusCode, answer, nil
}

// until waits for a condition.
func until(t *testing.T, what string, isMet func() bool) {
	t.Helper()
	for begun := time.Now(); !isMet(); time.Sleep(pollEvery) {
		require.Less(t, time.Since(begun), patience, what)
	}
}

// arrives waits until the backend has answered a callback of a visit.
func arrives(t *testing.T, visit, name string) {
	t.Helper()
	until(t, name, func() bool { names, _ := backend.of(visit); return slices.Contains(names, name) })
}

// do sends engage or noengage, until the gateway has stored it.
func do(t *testing.T, name, object string, headers ...string) map[string]any {
	t.Helper()
	var fields map[string]any
	until(t, name, func() bool {
		status, answer, err := send(t.Context(), http.MethodPost, gateways[0]+"/server/data/gateway/"+name, object, headers...)
		require.NoError(t, err)
		require.Contains(t, []int{200, 503}, status, answer) // a slow machine may need longer than the gateway waits
		fields, _ = answer.(map[string]any)
		return status == 200
	})
	return fields
}

// end waits until an interaction has these deliveries, each "CALL STATUS", and returns them.
func end(t *testing.T, id string, want ...string) (records []map[string]any) {
	t.Helper()
	until(t, fmt.Sprint(want), func() bool {
		status, answer, err := send(t.Context(), http.MethodGet, gateways[1]+"/v1/interactions/"+id+"/deliveries", "")
		require.NoError(t, err)
		require.Contains(t, []int{200, 503}, status, answer)
		all, _ := answer.([]any)
		records = nil
		var list []string
		for _, one := range all {
			record, _ := one.(map[string]any)
			list, records = append(list, fmt.Sprint(record["call"], " ", record["status"])), append(records, record)
		}
		return slices.Equal(list, want)
	})
	return records
}
