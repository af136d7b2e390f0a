package delivery

import (
	"slices"

	"segue/contract"
)

// Class says what came of an attempt, in one word. The set is closed: the words
// are also metric labels, and operators filter by them.
type Class string

// The classes. Each says in its comment what an attempt of it means for the
// delivery; what a call says of statuses and classes goes before that.
const (
	// ClassOK is delivered: the status is one of the call's success codes, whatever
	// became of the body after it.
	ClassOK Class = "ok"
	// ClassDryRun is delivered without sending: the call or its trigger is a dry run.
	ClassDryRun Class = "dry_run"

	// These never got a response; all are worth another attempt.

	// ClassDNS: the name does not resolve.
	ClassDNS Class = "dns"
	// ClassRefused: nobody listens there.
	ClassRefused Class = "refused"
	// ClassReset: the connection broke before the response's header was whole.
	ClassReset Class = "reset"
	// ClassUnreachable: there is no route to the address.
	ClassUnreachable Class = "unreachable"
	// ClassTLS: no trusted connection came about; nothing of the request was sent.
	ClassTLS Class = "tls"
	// ClassTimeout: the total deadline passed before the response's header was whole.
	ClassTimeout Class = "timeout"
	// ClassProtocol: what came back is not HTTP, or broke off within a line of its
	// header, which looks the same.
	ClassProtocol Class = "protocol"
	// ClassNetwork: any other failure of the network.
	ClassNetwork Class = "network"

	// These are answers of the receiver.

	// ClassRedirect: a 3xx, which is never followed; retry.
	ClassRedirect Class = "redirect"
	// ClassHTTP4xx: a 4xx; final but for 408 and 425.
	ClassHTTP4xx Class = "http_4xx"
	// ClassHTTP429: too many requests; retry, Retry-After is the floor.
	ClassHTTP429 Class = "http_429"
	// ClassHTTP5xx: a 5xx; retry.
	ClassHTTP5xx Class = "http_5xx"
	// ClassGone: a 410; final.
	ClassGone Class = "gone"
	// ClassSOAPFault: the response is a SOAP fault, whatever its status; final when it
	// says that the request is wrong, else retry.
	ClassSOAPFault Class = "soap_fault"
	// ClassUnexpected: another status that the call does not count as success, or a
	// success of a SOAP call without an envelope that can be read; retry.
	ClassUnexpected Class = "unexpected"
	// ClassTooLarge: the response's header is larger than is read; final, for the
	// receiver has the request and will answer the same again.
	ClassTooLarge Class = "too_large"

	// These are on our side; nothing was sent.

	// ClassBlocked: the dial guard does not let the address through; final.
	ClassBlocked Class = "blocked"
	// ClassAuth: a credential or signing secret is missing or unusable; retry.
	ClassAuth Class = "auth"
	// ClassRender: the request could not be rendered or is no valid HTTP; final.
	ClassRender Class = "render"
	// ClassConfig: the call is gone from the configuration, has become a dry run, or
	// leads to another host than the request; final.
	ClassConfig Class = "config"
	// ClassBreakerOpen: the receiver has failed repeatedly and is left alone for a
	// while; retry, free of charge.
	ClassBreakerOpen Class = "breaker_open"
	// ClassLimited: the call's concurrency or rate is used up; retry, free of charge.
	ClassLimited Class = "limited"
	// ClassStopping: the process takes no more requests; retry, free of charge.
	ClassStopping Class = "stopping"
	// ClassInternal: a defect of Segue; retry.
	ClassInternal Class = "internal"

	// ClassInFlight is no end: the request is still under way in this process.
	ClassInFlight Class = "in_flight"
)

// Classes lists the closed set.
func Classes() []Class {
	return []Class{
		ClassOK, ClassDryRun,
		ClassDNS, ClassRefused, ClassReset, ClassUnreachable, ClassTLS, ClassTimeout, ClassProtocol, ClassNetwork,
		ClassRedirect, ClassHTTP4xx, ClassHTTP429, ClassHTTP5xx, ClassGone, ClassSOAPFault, ClassUnexpected, ClassTooLarge,
		ClassBlocked, ClassAuth, ClassRender, ClassConfig, ClassBreakerOpen, ClassLimited, ClassStopping, ClassInternal,
		ClassInFlight,
	}
}

// Overridable lists the classes that a call may give another verdict than the
// default: those of an attempt that was made or tried.
func Overridable() []Class {
	return []Class{
		ClassDNS, ClassRefused, ClassReset, ClassUnreachable, ClassTLS, ClassTimeout, ClassProtocol, ClassNetwork,
		ClassRedirect, ClassHTTP4xx, ClassHTTP429, ClassHTTP5xx, ClassGone, ClassSOAPFault, ClassUnexpected, ClassTooLarge,
		ClassBlocked, ClassAuth,
	}
}

// verdictOf is what a class means for a call.
func (p Policy) verdictOf(c Class) contract.Verdict { return p.verdictOr(c, c.verdict()) }

func (p Policy) verdictOr(c Class, standard contract.Verdict) contract.Verdict {
	if verdict, ok := p.Verdicts[c]; ok && slices.Contains(Overridable(), c) {
		return verdict
	}
	return standard
}

// verdictOn is what a failure with a status means for a call: by what the call says
// of the status, then of the class, then by the standard.
func (p Policy) verdictOn(code int, c Class, standard contract.Verdict) contract.Verdict {
	switch {
	case anyContains(p.Final, code):
		return contract.VerdictFinal
	case anyContains(p.Retriable, code):
		return contract.VerdictRetry
	}
	return p.verdictOr(c, standard)
}

// verdict is what a class means when the call's policy says nothing else.
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

// MayPass tells whether another attempt may fare better, by the class alone. Where it
// may not, the fault is in the one request, not in the receiver.
func (c Class) MayPass() bool { return c.verdict() == contract.VerdictRetry }

// receiverFailed tells whether the class speaks against the receiver's health: it
// is not sent to from within a workflow task for now.
func (c Class) receiverFailed() bool {
	return c.noAnswer() || c == ClassHTTP429 || c == ClassHTTP5xx || c == ClassTooLarge
}

// noAnswer tells whether the receiver could not be talked to at all: that is what
// opens the breaker. One that answers 503 costs little to ask and says itself when
// to come back; and a 500 is often about one request, not about the receiver.
func (c Class) noAnswer() bool {
	switch c {
	case ClassDNS, ClassRefused, ClassReset, ClassUnreachable, ClassTLS, ClassTimeout, ClassProtocol, ClassNetwork:
		return true
	}
	return false
}

// fromReceiver tells whether the class is an answer of the receiver.
func (c Class) fromReceiver() bool {
	switch c {
	case ClassOK, ClassRedirect, ClassHTTP4xx, ClassHTTP429, ClassHTTP5xx, ClassGone, ClassSOAPFault, ClassUnexpected, ClassTooLarge:
		return true
	}
	return false
}

// classOfStatus judges a response by its status, and by the call's policy first.
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
