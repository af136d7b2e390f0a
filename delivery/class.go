package delivery

import (
	"slices"

	"segue/contract"
)

// Class is the kind of an attempt's outcome. The set is closed: classes are also metric
// labels, and operators filter by them.
type Class string

// The classes. Each comment states the verdict of the class; the statuses and classes in a
// call's policy take precedence.
const (
	// ClassOK is delivered: the status is one of the call's success codes, whether or not
	// the body could be read.
	ClassOK Class = "ok"
	// ClassDryRun is delivered without sending: the call or its trigger is a dry run.
	ClassDryRun Class = "dry_run"

	// These attempts got no response; all are retried.

	// ClassDNS: the name does not resolve.
	ClassDNS Class = "dns"
	// ClassRefused: nothing listens at the address.
	ClassRefused Class = "refused"
	// ClassReset: the connection broke before the response's header was complete.
	ClassReset Class = "reset"
	// ClassUnreachable: there is no route to the address.
	ClassUnreachable Class = "unreachable"
	// ClassTLS: no trusted connection could be made; nothing of the request was sent.
	ClassTLS Class = "tls"
	// ClassTimeout: the attempt's deadline passed before the response's header was complete.
	ClassTimeout Class = "timeout"
	// ClassProtocol: the response is not HTTP, or broke off within a line of its header,
	// which looks the same.
	ClassProtocol Class = "protocol"
	// ClassNetwork: any other failure of the network.
	ClassNetwork Class = "network"

	// These are responses of the receiver.

	// ClassRedirect: a 3xx; redirects are never followed; retry.
	ClassRedirect Class = "redirect"
	// ClassHTTP4xx: a 4xx; final but for 408 and 425.
	ClassHTTP4xx Class = "http_4xx"
	// ClassHTTP429: too many requests; retry, Retry-After is the floor.
	ClassHTTP429 Class = "http_429"
	// ClassHTTP5xx: a 5xx; retry.
	ClassHTTP5xx Class = "http_5xx"
	// ClassGone: a 410; final.
	ClassGone Class = "gone"
	// ClassSOAPFault: the response is a SOAP fault, whatever its status; final if it
	// reports a wrong request, else retry.
	ClassSOAPFault Class = "soap_fault"
	// ClassUnexpected: another status that the call does not count as success, or a
	// success of a SOAP call without an envelope that can be read; retry.
	ClassUnexpected Class = "unexpected"
	// ClassTooLarge: the response's header is larger than Segue reads; final, because the
	// receiver has the request and would answer the same again.
	ClassTooLarge Class = "too_large"

	// These are failures on Segue's side; nothing was sent.

	// ClassBlocked: the dial guard does not let the address through; final.
	ClassBlocked Class = "blocked"
	// ClassAuth: a credential or signing secret is missing or unusable; retry.
	ClassAuth Class = "auth"
	// ClassRender: the request could not be rendered or is not valid HTTP; final.
	ClassRender Class = "render"
	// ClassConfig: the call is no longer in the configuration, has become a dry run, or
	// its URL has another origin than the request; final.
	ClassConfig Class = "config"
	// ClassBreakerOpen: the receiver failed repeatedly and its circuit breaker is open;
	// retry, without counting an attempt.
	ClassBreakerOpen Class = "breaker_open"
	// ClassLimited: the call's limit of concurrency or rate is reached; retry, without
	// counting an attempt.
	ClassLimited Class = "limited"
	// ClassStopping: the process is stopping and starts no more requests; retry, without
	// counting an attempt.
	ClassStopping Class = "stopping"
	// ClassInternal: a defect of Segue; retry.
	ClassInternal Class = "internal"

	// ClassInFlight: the request is still in flight in this process; there is no result yet.
	ClassInFlight Class = "in_flight"
)

// Classes returns all classes.
func Classes() []Class {
	return []Class{
		ClassOK, ClassDryRun,
		ClassDNS, ClassRefused, ClassReset, ClassUnreachable, ClassTLS, ClassTimeout, ClassProtocol, ClassNetwork,
		ClassRedirect, ClassHTTP4xx, ClassHTTP429, ClassHTTP5xx, ClassGone, ClassSOAPFault, ClassUnexpected, ClassTooLarge,
		ClassBlocked, ClassAuth, ClassRender, ClassConfig, ClassBreakerOpen, ClassLimited, ClassStopping, ClassInternal,
		ClassInFlight,
	}
}

// Overridable returns the classes that a call may give another verdict than the default:
// those of an attempt that was sent or could have been.
func Overridable() []Class {
	return []Class{
		ClassDNS, ClassRefused, ClassReset, ClassUnreachable, ClassTLS, ClassTimeout, ClassProtocol, ClassNetwork,
		ClassRedirect, ClassHTTP4xx, ClassHTTP429, ClassHTTP5xx, ClassGone, ClassSOAPFault, ClassUnexpected, ClassTooLarge,
		ClassBlocked, ClassAuth,
	}
}

// verdictOf returns the verdict of a class for a call.
func (p Policy) verdictOf(c Class) contract.Verdict { return p.verdictOr(c, c.verdict()) }

func (p Policy) verdictOr(c Class, standard contract.Verdict) contract.Verdict {
	if verdict, ok := p.Verdicts[c]; ok && slices.Contains(Overridable(), c) {
		return verdict
	}
	return standard
}

// verdictOn returns the verdict of a failure with a status for a call: that of
// the call for the status, else that of the call for the class, else the standard.
func (p Policy) verdictOn(code int, c Class, standard contract.Verdict) contract.Verdict {
	switch {
	case anyContains(p.Final, code):
		return contract.VerdictFinal
	case anyContains(p.Retriable, code):
		return contract.VerdictRetry
	}
	return p.verdictOr(c, standard)
}

// verdict returns the verdict of a class where the call's policy says nothing else.
func (c Class) verdict() contract.Verdict {
	switch c {
	case ClassOK, ClassDryRun:
		return contract.VerdictDelivered
	case ClassInFlight:
		return contract.VerdictInFlight
	case ClassHTTP4xx, ClassGone, ClassTooLarge, ClassBlocked, ClassRender, ClassConfig:
		return contract.VerdictFinal
	default:
		return contract.VerdictRetry
	}
}

// IsTransient reports whether another attempt may succeed, by the class alone. If not,
// the fault is in the one request, not in the receiver.
func (c Class) IsTransient() bool { return c.verdict() == contract.VerdictRetry }

// isReceiverFailure reports whether the class counts against the receiver's health: no
// workflow task sends to it inline for now.
func (c Class) isReceiverFailure() bool {
	return c.isUnanswered() || c == ClassHTTP429 || c == ClassHTTP5xx || c == ClassTooLarge
}

// isUnanswered reports whether the receiver gave no response at all; such attempts open
// the breaker. A receiver that answers 503 costs little to ask and says itself when to
// retry, and a 500 is often about one request, not about the receiver.
func (c Class) isUnanswered() bool {
	switch c {
	case ClassDNS, ClassRefused, ClassReset, ClassUnreachable, ClassTLS, ClassTimeout, ClassProtocol, ClassNetwork:
		return true
	}
	return false
}

// isResponse reports whether the class is that of a response of the receiver.
func (c Class) isResponse() bool {
	switch c {
	case ClassOK, ClassRedirect, ClassHTTP4xx, ClassHTTP429, ClassHTTP5xx, ClassGone, ClassSOAPFault, ClassUnexpected, ClassTooLarge:
		return true
	}
	return false
}

// verdictUnknown returns the verdict of a class for a call whose receiver may have the
// request and did not answer: a call that is not idempotent is not retried, unless its
// policy says so for the class. why says what an operator has to do then.
func (p Policy) verdictUnknown(c Class) (_ contract.Verdict, why string) {
	if p.Idempotent || p.verdictOr(c, "") != "" {
		return p.verdictOf(c), ""
	}
	return contract.VerdictFinal, contract.AskReceiver
}

// isUnknownStatus reports whether a status says nothing about the request: a gateway
// passed it on and got no response that it understood, or none in time.
func isUnknownStatus(code int) bool { return code == 502 || code == 504 }

// classOfStatus returns the class and the verdict of a response by its status; the call's
// policy takes precedence.
func classOfStatus(p Policy, code int) (Class, contract.Verdict) {
	if p.succeeds(code) {
		return ClassOK, contract.VerdictDelivered
	}
	class := ClassUnexpected
	switch {
	case code == 410:
		class = ClassGone
	case code == 429:
		class = ClassHTTP429
	case code >= 300 && code < 400:
		class = ClassRedirect
	case code >= 400 && code < 500:
		class = ClassHTTP4xx
	case code >= 500 && code < 600:
		class = ClassHTTP5xx
	}
	standard := class.verdict()
	switch {
	case code == 408 || code == 425:
		standard = contract.VerdictRetry
	case isUnknownStatus(code) && !p.Idempotent:
		standard = contract.VerdictFinal
	}
	return class, p.verdictOn(code, class, standard)
}

func (p Policy) succeeds(code int) bool {
	if len(p.Success) == 0 {
		return code >= 200 && code < 300
	}
	return anyContains(p.Success, code)
}

func anyContains(ranges []StatusRange, code int) bool {
	for _, r := range ranges {
		if r.Contains(code) {
			return true
		}
	}
	return false
}
