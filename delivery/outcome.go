package delivery

import (
	"strconv"
	"time"

	"segue/contract"
	"segue/excerpt"
)

// maxMessage bounds an outcome's message, in bytes.
const maxMessage = 300

// newOutcome returns an outcome with the verdict that its class has by itself.
func newOutcome(r contract.Request, class Class, message string) contract.Outcome {
	return contract.Outcome{
		ID: r.ID, Class: string(class), Verdict: class.verdict(), Message: excerpt.Cut(message, maxMessage), At: time.Now().UTC(),
	}
}

// complete adds what the workflows need of the policy to an outcome, and gives a retry
// its wait; a retry that the schedule has no attempt left for becomes final.
//
// attempt counts from 1. floor is the receiver's Retry-After, 0 for none.
func complete(o contract.Outcome, p Policy, attempt int, floor time.Duration) contract.Outcome {
	o.Version = p.Version
	o.Of = len(p.Retry.Schedule) + 1
	o.Order = string(p.Order)
	o.Retention = p.Retry.Retention
	if o.Verdict != contract.VerdictRetry || o.Free {
		return o
	}
	if attempt >= o.Of {
		o.Verdict = contract.VerdictFinal
		o.Message += "; attempt " + strconv.Itoa(attempt) + " of " + strconv.Itoa(o.Of) + " was the last"
		return o
	}
	o.RetryIn = retryWait(p.Retry, max(attempt, 1), floor)
	return o
}

// InFlight is the outcome of a request that this process is still sending.
func InFlight(r contract.Request) contract.Outcome { return newOutcome(r, ClassInFlight, "") }

// DryRun is the outcome of a request that is recorded and not sent. The message states
// why it could not be rendered, if it could not.
func DryRun(p Policy, r contract.Request) contract.Outcome {
	return notSent(p, r, ClassDryRun, r.Fault, 1)
}

// Unrendered is the outcome of a request that could not be rendered: final, with the
// request's fault as its message.
func Unrendered(p Policy, r contract.Request) contract.Outcome {
	return notSent(p, r, ClassRender, r.Fault, 1)
}

// Unconfigured is the outcome of a request whose call the configuration of the given
// version does not have: final.
func Unconfigured(version string, r contract.Request) contract.Outcome {
	return notSent(Policy{Version: version}, r, ClassConfig, "the call is no longer in the configuration", 1)
}

// notSent is the outcome of an attempt that ended on our side, before anything was sent.
func notSent(p Policy, r contract.Request, class Class, message string, attempt int) contract.Outcome {
	o := newOutcome(r, class, message)
	o.Verdict = p.verdictOf(class)
	return complete(o, p, attempt, 0)
}

// delayed is the outcome of a request that is not sent now, for a reason that does not
// count as an attempt: the attempt is made under the same number, after the given time.
func delayed(p Policy, r contract.Request, class Class, in time.Duration) contract.Outcome {
	o := newOutcome(r, class, delayMessages[class])
	o.Free, o.RetryIn = true, in
	return complete(o, p, 1, 0)
}

var delayMessages = map[Class]string{
	ClassBreakerOpen: "the receiver failed repeatedly; the circuit breaker is open",
	ClassLimited:     "the call's limit of concurrency or rate is reached",
	ClassStopping:    "the process is stopping",
}

// Unknown is the outcome of an attempt that was begun and whose result is lost, because
// its process died: retry if the call is idempotent, else final.
func Unknown(p Policy, r contract.Request, attempt int) contract.Outcome {
	return unknown(p, r, ClassTimeout, "the attempt ended without an outcome", attempt)
}

// unknown is the outcome of an attempt that may have reached the receiver.
func unknown(p Policy, r contract.Request, class Class, message string, attempt int) contract.Outcome {
	verdict, why := p.verdictUnknown(class)
	o := newOutcome(r, class, joined(message, why))
	o.Verdict = verdict
	return complete(o, p, attempt, 0)
}
