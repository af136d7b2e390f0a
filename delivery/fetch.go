package delivery

import (
	"context"
	"fmt"

	"segue/contract"
)

// Fetch makes one attempt as Send does, and returns the body of the response. The error says why there is
// none, or not all of it; it contains no secret.
func (s *Sender) Fetch(ctx context.Context, p Policy, r contract.Request) ([]byte, error) {
	t := &tracer{}
	o, isOver := s.start(p, r, 1, "", t).Wait(ctx)
	switch {
	case !isOver:
		return nil, fmt.Errorf("call %s: %w", p.Call, ctx.Err())
	case o.Verdict != contract.VerdictDelivered:
		return nil, fmt.Errorf("call %s: %s: %s", p.Call, o.Class, o.Message)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fault != "" {
		return nil, fmt.Errorf("call %s: %s", p.Call, t.fault)
	}
	return t.body, nil
}
