package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"segue/gateway/index"
	"segue/gateway/problem"
	"segue/reload"
)

const (
	// probeEvery is the time between two probes of Temporal; probeSooner while they fail.
	probeEvery  = 10 * time.Second
	probeSooner = 2 * time.Second
	// probeWithin bounds one probe.
	probeWithin = 5 * time.Second
)

// Health is the state of a gateway, as /readyz reports it. A gateway is ready if it can take
// requests, even with, for example, an outdated configuration.
type Health struct {
	Ready bool `json:"ready"`
	// Reasons are why the gateway is not ready, Degraded what works less well than it should.
	Reasons  []string `json:"reasons,omitempty"`
	Degraded []string `json:"degraded,omitempty"`
	// Detail is for operators; the gateway's own address does not show it.
	*Detail
}

// Detail is what only operators may know.
type Detail struct {
	Version  string         `json:"version,omitempty"`
	Temporal TemporalHealth `json:"temporal"`
	Index    IndexHealth    `json:"index"`
	Bus      BusHealth      `json:"bus"`
	// Authenticated is false on loopback without credentials.
	Authenticated bool          `json:"authenticated"`
	Configuration reload.Health `json:"configuration"`
}

// TemporalHealth is the connection to Temporal.
type TemporalHealth struct {
	Connected bool      `json:"connected"`
	Namespace string    `json:"namespace"`
	Error     string    `json:"error,omitempty"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
	// MissingSearchAttributes are those that the namespace lacks; `segue setup` adds them.
	MissingSearchAttributes []string `json:"missing_search_attributes,omitempty"`
}

// IndexHealth is the index of open interactions.
type IndexHealth struct {
	Complete bool `json:"complete"`
	Open     int  `json:"open"`
}

// BusHealth is the connection to the bus.
type BusHealth struct {
	Connected bool `json:"connected"`
}

// health determines whether the gateway can take requests.
type health struct {
	// missing returns the search attributes that the namespace lacks. It fails if Temporal does not answer.
	missing func(context.Context) ([]string, error)
	// index and connected are the state of the index and of the bus.
	index     func() index.Health
	connected func() bool
	// issuers are why some credentials are refused at present.
	issuers func() []string
	// configured reports whether there are credentials.
	configured func() bool
	reloads    *reload.Reloader
	version    string

	mu       sync.Mutex
	temporal TemporalHealth
	stopping bool
}

// run probes Temporal periodically until the context ends.
func (h *health) run(ctx context.Context) {
	for {
		wait := time.NewTimer(h.probe(ctx))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		h.reloads.Recheck()
	}
}

// probe probes Temporal once, and returns the time until the next probe.
func (h *health) probe(ctx context.Context) time.Duration {
	within, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	missing, err := h.missing(within)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.temporal.Connected, h.temporal.MissingSearchAttributes, h.temporal.Error = err == nil, missing, ""
	h.temporal.CheckedAt = time.Now().UTC()
	if err != nil {
		h.temporal.Error = err.Error()
	}
	if err != nil || len(missing) > 0 {
		return probeSooner
	}
	return probeEvery
}

// stop notes that the gateway takes no more requests.
func (h *health) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
}

// status returns the current health.
func (h *health) status() Health {
	indexed, configuration, connected := h.index(), h.reloads.Status(), h.connected()
	h.mu.Lock()
	defer h.mu.Unlock()
	status := Health{Detail: &Detail{Version: h.version, Temporal: h.temporal, Index: IndexHealth{Complete: indexed.Complete, Open: indexed.Open},
		Bus: BusHealth{Connected: connected}, Authenticated: h.configured(), Configuration: configuration}}
	status.Reasons = h.reasons()
	// The index knows of the bus, of answers without a notice and of interactions without an answer.
	// Until it is complete, what it reports keeps the gateway from being ready, and so does Temporal:
	// from then on, lists and streams work without Temporal.
	lacks := indexed.Reasons
	if !h.temporal.CheckedAt.IsZero() && !h.temporal.Connected {
		lacks = append([]string{"Temporal does not answer"}, lacks...) // its error names addresses
	}
	if indexed.Complete {
		status.Degraded = append(status.Degraded, lacks...)
	} else {
		status.Reasons = append(status.Reasons, "the index of open interactions is not complete")
		status.Reasons = append(status.Reasons, lacks...)
	}
	status.Degraded = append(status.Degraded, h.issuers()...)
	if !configuration.IsGood() {
		status.Degraded = append(status.Degraded, "the configuration file was rejected, the one before stays active")
	}
	status.Ready = len(status.Reasons) == 0
	return status
}

// reasons are why the process cannot work.
func (h *health) reasons() []string {
	t := h.temporal
	switch {
	case h.stopping:
		return []string{"the process is stopping"}
	case t.CheckedAt.IsZero():
		return []string{"the process is starting"}
	case len(t.MissingSearchAttributes) > 0:
		return []string{fmt.Sprintf("namespace %s lacks the search attributes %s; run: segue setup --namespace %s",
			t.Namespace, strings.Join(t.MissingSearchAttributes, ", "), t.Namespace)}
	}
	return nil
}

// live answers that the process responds.
func live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok") // the client may have disconnected
}

// ready answers whether the gateway can take requests, with the detail only where operators ask.
func ready(status func() Health, detailed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		now := status()
		if !detailed {
			now.Detail = nil
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !now.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(now) // the client may have disconnected
	}
}

// reading lets requests that only read through, and answers others with 405.
func reading(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			problem.Write(w, problem.New(problem.MethodNotAllowed, ""))
			return
		}
		next(w, r)
	}
}
