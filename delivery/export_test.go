package delivery

import (
	"context"
	"net/http"
	"time"
)

// What the tests of timing need without a network.

func NewHealth(limits Limits) *Health {
	h := newHealth("crm")
	h.configure(limits)
	return h
}

// Enter is one attempt at the gate; leave is nil when it was sent away.
func (h *Health) Enter(ctx context.Context) (leave func(Class), refused Class, in time.Duration) {
	p, refused, in := h.enter(ctx)
	if p == nil {
		return nil, refused, in
	}
	return func(c Class) { p.leave(c) }, "", 0
}

func Sign(req *http.Request, id, body string, refs []SecretRef, now time.Time) error {
	return sign(req, id, body, refs, now, &secrets{})
}

var RetryAfter = retryAfter
