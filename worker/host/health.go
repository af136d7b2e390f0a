package host

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"segue/reload"
)

const (
	// probeEvery is the time between two probes of Temporal; probeSooner while they fail.
	probeEvery  = 10 * time.Second
	probeSooner = 2 * time.Second
	// probeWithin bounds one probe.
	probeWithin = 5 * time.Second
)

// Health is the response of /readyz. A process is ready if it can work, even with, for
// example, an outdated configuration; the details show that.
type Health struct {
	Ready bool `json:"ready"`
	// Reasons are why the process is not ready.
	Reasons       []string       `json:"reasons,omitempty"`
	Temporal      TemporalHealth `json:"temporal"`
	Configuration reload.Health  `json:"configuration"`
}

// TemporalHealth is the connection of the process to Temporal.
type TemporalHealth struct {
	Connected bool   `json:"connected"`
	Namespace string `json:"namespace"`
	TaskQueue string `json:"task_queue"`
	// MissingSearchAttributes are the search attributes that the namespace lacks; `segue setup` adds them.
	MissingSearchAttributes []string `json:"missing_search_attributes,omitempty"`
	// Error is why the last probe failed.
	Error     string    `json:"error,omitempty"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
}

// health determines whether the process can work.
type health struct {
	reloader *reload.Reloader
	// missing returns the search attributes that the namespace lacks. It fails if Temporal is
	// not connected or the namespace does not exist.
	missing func(context.Context) ([]string, error)

	background sync.WaitGroup // everything that runs besides the worker

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
		h.reloader.Recheck()
	}
}

// probe probes Temporal once, and returns the time until the next probe.
func (h *health) probe(ctx context.Context) time.Duration {
	bounded, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	missing, err := h.missing(bounded)
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

// stop notes that the process takes no more work.
func (h *health) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
}

// status returns the current health.
func (h *health) status() Health {
	status := Health{Configuration: h.reloader.Status()}
	h.mu.Lock()
	defer h.mu.Unlock()
	status.Temporal = h.temporal
	t := status.Temporal
	switch {
	case h.stopping:
		status.Reasons = append(status.Reasons, "the process is stopping")
	case t.CheckedAt.IsZero():
		status.Reasons = append(status.Reasons, "the process is starting")
	case !t.Connected:
		status.Reasons = append(status.Reasons, "Temporal does not answer: "+t.Error)
	case len(t.MissingSearchAttributes) > 0:
		status.Reasons = append(status.Reasons, fmt.Sprintf("namespace %s lacks the search attributes %s; run: segue setup --namespace %s",
			t.Namespace, strings.Join(t.MissingSearchAttributes, ", "), t.Namespace))
	}
	status.Ready = len(status.Reasons) == 0
	return status
}
