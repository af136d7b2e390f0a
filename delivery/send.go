package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"segue/dispatch"
)

const (
	// defaultTimeout and defaultResponse stand in for a policy that gives none.
	defaultTimeout  = 10 * time.Second
	defaultResponse = 64 << 10
)

// send makes one attempt: everything that can keep the request back is asked
// before the receiver's limits are, and those before the first byte leaves.
func (s *Sender) send(p Policy, r dispatch.Request, attempt int) (o dispatch.Outcome) {
	defer func() {
		// A defect must cost one attempt, not the process and everything in it.
		if defect := recover(); defect != nil {
			// The value may quote the request; the stack does not.
			s.log.Error("sending panicked", "call", p.Call, "delivery", r.ID, "panic", fmt.Sprintf("%T", defect), "stack", string(debug.Stack()))
			o = settle(outcomeOf(r, ClassInternal, "sending failed by a defect"), p, attempt, 0)
		}
	}()
	notSent := func(class Class, err error) dispatch.Outcome {
		return settle(outcomeOf(r, class, err.Error()), p, attempt, 0)
	}
	switch {
	case r.Fault != "":
		return NotSent(p, r, ClassRender, r.Fault)
	case p.DryRun:
		return DryRun(p, r)
	}
	req, err := newRequest(p, r)
	if err != nil {
		return notSent(ClassRender, err)
	}
	var used secrets
	grant, err := authorize(req, p.Auth, &used)
	if err != nil {
		return notSent(ClassAuth, err)
	}
	if err := sign(req, r.ID, r.Body, p.Sign, time.Now(), &used); err != nil {
		return notSent(ClassAuth, err)
	}

	transport, class, err := s.transports.of(p, req.URL.Scheme)
	if err != nil {
		return notSent(class, err)
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
	x := exchange{policy: p, request: r, used: used, transport: transport, tokens: s.tokens, grant: grant}
	o = x.do(req)
	o.MS = permit.leave(Class(o.Class)).Milliseconds()
	permit = nil
	return settle(o, p, attempt, x.floor)
}

// exchange is one request and what comes back for it.
type exchange struct {
	policy    Policy
	request   dispatch.Request
	used      secrets
	transport http.RoundTripper
	tokens    *tokens
	grant     *grant        // nil: the request needs no token
	floor     time.Duration // the receiver's Retry-After
}

func (x *exchange) do(req *http.Request) dispatch.Outcome {
	deadline := x.policy.Timeout
	if deadline <= 0 {
		deadline = defaultTimeout
	}
	// Its own context: no caller may cut a request that has started.
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	o := outcomeOf(x.request, ClassNetwork, "")
	resp, err := x.roundTrip(req.WithContext(ctx))
	if err != nil {
		var missing *noTokenError
		class, message := ClassAuth, ""
		if errors.As(err, &missing) {
			o.Code, message = missing.code, missing.Error()
		} else {
			class, message = classOfError(ctx, err, deadline)
			if class == ClassReset && x.policy.Auth.MTLS != nil {
				// Since TLS 1.3 a server judges the certificate when we believe to be
				// connected, and what it says of it may be lost with the connection.
				message += "; the receiver may not accept the client certificate"
			}
		}
		o.Class, o.Verdict, o.Message = string(class), class.verdict(), bounded(x.used.redact(message), maxMessage)
		return o
	}
	defer resp.Body.Close()
	x.judge(&o, resp)
	return o
}

// judge settles the outcome by the status. A body that is too long or breaks off
// changes nothing: the receiver has answered, and a repeat would be a duplicate.
func (x *exchange) judge(o *dispatch.Outcome, resp *http.Response) {
	class, verdict := classOfStatus(x.policy, resp.StatusCode)
	o.Code, o.Class, o.Verdict = resp.StatusCode, string(class), verdict
	body, fault := readBody(resp, x.policy.Limits.Response)
	text := x.used.redact(string(body))
	if verdict == dispatch.VerdictDelivered {
		o.Message = fault
		if len(x.policy.Returns) > 0 {
			var missing string
			o.Returns, missing = returned(x.policy.Returns, text)
			o.Message = joined(fault, missing)
		}
		return
	}
	x.floor = retryAfter(resp.Header, time.Now())
	o.Excerpt = bounded(text, maxExcerpt)
	o.Message = joined(statusLine(class, resp.StatusCode), fault)
}

func statusLine(class Class, code int) string {
	line := fmt.Sprintf("HTTP %d", code)
	if text := http.StatusText(code); text != "" {
		line += " " + text
	}
	if class == ClassRedirect {
		line += "; redirects are not followed"
	}
	return line
}
