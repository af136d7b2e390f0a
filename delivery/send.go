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

// send makes one attempt: everything that can keep the request back is asked
// before the receiver's limits are, and those before the first byte leaves.
//
// w is nil, or follows what happens.
func (s *Sender) send(p Policy, r contract.Request, attempt int, w *watch) (o contract.Outcome) {
	var took time.Duration
	defer func() { s.measure(p, r, o, took) }()
	defer func() {
		// A defect must cost one attempt, not the process and everything in it.
		if defect := recover(); defect != nil {
			// The value may quote the request; the stack does not.
			s.log.Error("sending panicked", "call", p.Call, "delivery", r.ID, "panic", fmt.Sprintf("%T", defect), "stack", string(debug.Stack()))
			o = outcomeOf(r, ClassInternal, "sending failed by a defect")
			o.Verdict, _ = p.verdictUnknown(ClassInternal)
			o = settle(o, p, attempt, 0)
		}
	}()
	notSent := func(class Class, err error) contract.Outcome {
		o := outcomeOf(r, class, err.Error())
		o.Verdict = p.verdictOf(class)
		return settle(o, p, attempt, 0)
	}
	switch {
	case r.Fault != "":
		return NotSent(p, r, ClassRender, r.Fault)
	case p.DryRun:
		// A dry run is recorded when it is dispatched. This one was to be sent, and is
		// not counted as sent only because the configuration has changed meanwhile.
		return NotSent(p, r, ClassConfig, "the call has become a dry run; redeliver when it is none any more")
	}
	if why := p.strays(r); why != "" {
		return NotSent(p, r, ClassConfig, why)
	}
	req, err := newRequest(p, r, attempt)
	if err != nil {
		return notSent(ClassRender, err)
	}
	var used secrets
	grant, err := authorize(req, p.Auth, &used)
	if err != nil {
		return notSent(ClassAuth, err)
	}
	signer, err := newSigner(r.ID, r.Body, p.Sign, &used)
	if err != nil {
		return notSent(ClassAuth, err)
	}

	transport, class, err := s.transports.ofCall(p, req.URL.Scheme)
	if err != nil {
		return notSent(class, err)
	}
	if grant != nil {
		if grant.transport, err = s.transports.ofGrant(p, grant.scheme()); err != nil {
			return notSent(ClassAuth, err)
		}
	}

	health := s.Health(p)
	if !s.bulkhead.enter(&health.held) {
		return Refused(p, r, ClassLimited, health.comeback.fromLimit(time.Now(), gateWait, 0))
	}
	defer s.bulkhead.leave(&health.held)
	permit, refused, in := health.enter(context.Background())
	if permit == nil {
		return Refused(p, r, refused, in)
	}
	defer func() {
		// A defect between here and leave must not keep the slot for ever.
		if permit != nil {
			permit.leave(ClassInternal)
		}
	}()
	// A token is got under the permit, too: an endpoint that hangs holds no more of
	// the process than the call may.
	x := exchange{policy: p, request: r, used: used, signer: signer, tokens: s.tokens, grant: grant, watch: w}
	x.transport = w.over(transport, p, &x.used)
	o = x.do(req)
	took = permit.leave(Class(o.Class))
	o.MS = took.Milliseconds()
	permit = nil
	return settle(o, p, attempt, x.floor)
}

// exchange is one request and what comes back for it.
type exchange struct {
	policy    Policy
	request   contract.Request
	used      secrets
	signer    signer
	transport http.RoundTripper
	tokens    *tokens
	grant     *grant        // nil: the request needs no token
	watch     *watch        // nil: nobody watches
	sent      bool          // some of the request has left the process
	floor     time.Duration // the receiver's Retry-After
}

func (x *exchange) do(req *http.Request) contract.Outcome {
	deadline := x.policy.Timeout
	if deadline <= 0 {
		deadline = contract.UsualTimeout
	}
	// Its own context: no caller may cut a request that has started.
	ctx, cancel := withDeadline(deadline)
	defer cancel()
	o := outcomeOf(x.request, ClassNetwork, "")
	resp, err := x.roundTrip(req.WithContext(ctx))
	if err != nil {
		x.failed(ctx, &o, err, deadline)
		return o
	}
	defer resp.Body.Close()
	x.judge(&o, resp)
	return o
}

// failed settles the outcome of an exchange that brought no response.
func (x *exchange) failed(ctx context.Context, o *contract.Outcome, err error, deadline time.Duration) {
	var why string
	class, message := ClassAuth, ""
	o.Verdict = x.policy.verdictOf(class)
	if missing, ok := errors.AsType[*noTokenError](err); ok {
		o.Code, message = missing.code, missing.Error()
	} else {
		class, message = classOfError(ctx, err, deadline)
		if class == ClassReset && x.policy.Auth.MTLS != nil {
			// Since TLS 1.3 a server judges the certificate when we believe to be
			// connected, and what it says of it may be lost with the connection.
			message += "; the receiver may not accept the client certificate"
		}
		o.Verdict = x.policy.verdictOf(class)
		if x.sent {
			o.Verdict, why = x.policy.verdictUnknown(class)
		}
	}
	o.Class, o.Message = string(class), joined(x.used.redact(message), why)
}
