package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"segue/contract"
)

// DefaultResponse is how many bytes of a response are read for a policy that gives no limit.
const DefaultResponse = 64 << 10

// send makes one attempt: it prepares the request, waits for room within the limits of
// the process and of the receiver, sends, and classifies the response. A defect costs
// the one attempt, not the process with everything in it.
//
// t is nil, or records what goes over the wire.
func (s *Sender) send(p Policy, r contract.Request, attempt int, t *tracer) (o contract.Outcome) {
	var took time.Duration
	defer func() { s.measure(p, r, o, took) }()
	defer s.recoverPanic(p, r, attempt, &o)

	x, class, err := s.prepare(p, r, attempt)
	if err != nil {
		return notSent(p, r, class, err.Error(), attempt)
	}
	x.traceWith(t)

	health := s.Health(p)
	if !s.bulkhead.acquire(&health.slots) {
		return delayed(p, r, ClassLimited, health.spreader.afterLimit(time.Now(), limitWait, 0))
	}
	defer s.bulkhead.release(&health.slots)
	permit, refused, in := health.admit(context.Background())
	if permit == nil {
		return delayed(p, r, refused, in)
	}
	defer permit.release(ClassInternal) // only after a panic: else it is released below

	// The exchange gets its token under the permit, too: a token endpoint that hangs
	// holds no more of the process than the call may.
	o = x.do()
	took = permit.release(Class(o.Class))
	o.MS = took.Milliseconds()
	return complete(o, p, attempt, x.retryAfter)
}

// recoverPanic makes the outcome of an attempt that panicked. It must be deferred.
func (s *Sender) recoverPanic(p Policy, r contract.Request, attempt int, o *contract.Outcome) {
	defect := recover()
	if defect == nil {
		return
	}
	// The value may quote the request; the stack does not.
	s.log.Error("sending panicked", "call", p.Call, "delivery", r.ID, "panic", fmt.Sprintf("%T", defect), "stack", string(debug.Stack()))
	*o = unknown(p, r, ClassInternal, "sending failed because of a defect in Segue", attempt)
}

// prepare makes everything that an attempt needs before it takes a slot or a share of
// the receiver's limits: the HTTP request with its credentials, the signer, and the
// transports. On an error nothing may be sent, and the class says whose fault it is.
func (s *Sender) prepare(p Policy, r contract.Request, attempt int) (_ *exchange, class Class, err error) {
	switch {
	case r.Fault != "":
		return nil, ClassRender, errors.New(r.Fault)
	case p.DryRun:
		// Dispatch records the deliveries of a dry run. This one was rendered to be sent,
		// and is not counted as sent only because the configuration has changed since.
		return nil, ClassConfig, errors.New("the call has become a dry run; redeliver when it no longer is")
	}
	if err := p.checkOrigin(r); err != nil {
		return nil, ClassConfig, err
	}
	x := &exchange{policy: p, request: r, tokens: s.tokens}
	if x.httpRequest, err = newRequest(p, r, attempt); err != nil {
		return nil, ClassRender, err
	}
	if x.grant, err = authorize(x.httpRequest, p.Auth, &x.used); err != nil {
		return nil, ClassAuth, err
	}
	if x.signer, err = newSigner(r.ID, r.Body, p.Sign, &x.used); err != nil {
		return nil, ClassAuth, err
	}
	if x.transport, class, err = s.transports.forCall(p, x.httpRequest.URL.Scheme); err != nil {
		return nil, class, err
	}
	if x.grant != nil {
		if x.grant.transport, err = s.transports.forGrant(p, x.grant.scheme()); err != nil {
			return nil, ClassAuth, err
		}
	}
	return x, "", nil
}

// exchange is one request and its response.
type exchange struct {
	policy      Policy
	request     contract.Request
	httpRequest *http.Request
	used        secrets // of the request, to be redacted from everything that is recorded
	signer      signer
	transport   http.RoundTripper
	tokens      *tokens
	grant       *grant        // nil: the request needs no token
	tracer      *tracer       // nil: the exchange is not traced
	sent        bool          // some of the request has left the process
	retryAfter  time.Duration // the receiver's Retry-After
}

// do sends the request and returns the outcome. Only the policy's deadline ends it: the
// context is its own, so that no caller cuts a request that has started.
func (x *exchange) do() contract.Outcome {
	deadline := x.policy.Timeout
	if deadline <= 0 {
		deadline = contract.UsualTimeout
	}
	ctx, cancel := withDeadline(deadline)
	defer cancel()
	o := newOutcome(x.request, ClassNetwork, "")
	resp, err := x.roundTrip(x.httpRequest.WithContext(ctx))
	if err != nil {
		x.classifyError(ctx, &o, err, deadline)
		return o
	}
	defer resp.Body.Close()
	x.classifyResponse(&o, resp)
	return o
}
