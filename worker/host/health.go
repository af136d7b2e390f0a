package host

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// probeEvery is how often Temporal is asked whether all is well, and probeSooner
	// while it is not.
	probeEvery  = 10 * time.Second
	probeSooner = 2 * time.Second
	// probeWithin bounds one question.
	probeWithin = 5 * time.Second
)

// Health is what /readyz answers. A process is ready when it can work; what it
// works with may be less than perfect, and then the details say so.
type Health struct {
	Ready bool `json:"ready"`
	// Reasons say why it is not ready.
	Reasons       []string            `json:"reasons,omitempty"`
	Temporal      TemporalHealth      `json:"temporal"`
	Configuration ConfigurationHealth `json:"configuration"`
}

// TemporalHealth is how the process reaches Temporal.
type TemporalHealth struct {
	Connected bool   `json:"connected"`
	Namespace string `json:"namespace"`
	TaskQueue string `json:"task_queue"`
	// MissingSearchAttributes are those that the namespace lacks; `segue setup` adds them.
	MissingSearchAttributes []string `json:"missing_search_attributes,omitempty"`
	// Error says why the last question failed.
	Error     string    `json:"error,omitempty"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
}

// health knows whether the process can work.
type health struct {
	reloader *reloader
	// missing asks Temporal for the search attributes that the namespace lacks, which
	// only one that is connected, and to a namespace that exists, can say.
	missing func(context.Context) ([]string, error)

	sides sync.WaitGroup // everything that goes on beside the work

	mu       sync.Mutex
	temporal TemporalHealth
	stopping bool
}

// run asks Temporal again and again until the context ends.
func (h *health) run(ctx context.Context) {
	for {
		wait := time.NewTimer(h.probe(ctx))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		h.reloader.recheck()
	}
}

// probe asks Temporal once, and returns when to ask again.
func (h *health) probe(ctx context.Context) time.Duration {
	asking, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	missing, err := h.missing(asking)
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

// status is the health as it is now.
func (h *health) status() Health {
	status := Health{Configuration: h.reloader.status()}
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
