package delivery

import "segue/contract"

// Unknown is the outcome of an attempt that was begun and whose result is lost, because
// its process died: retry if the call is idempotent, else final.
func Unknown(p Policy, r contract.Request, attempt int) contract.Outcome {
	verdict, why := p.verdictUnknown(ClassTimeout)
	o := outcomeOf(r, ClassTimeout, joined("the attempt ended without an outcome", why))
	o.Verdict = verdict
	return settle(o, p, attempt, 0)
}

// verdictUnknown is what a class means for a call when the receiver may have the request
// and did not say so: a call that is not idempotent is not repeated, unless it says
// itself that the class is worth it. The text tells why.
func (p Policy) verdictUnknown(c Class) (_ contract.Verdict, why string) {
	if p.Idempotent || p.verdictOr(c, "") != "" {
		return p.verdictOf(c), ""
	}
	return contract.VerdictFinal, contract.AskReceiver
}

// isUnknownStatus reports whether a status tells nothing about the request: a gateway
// passed it on and got no answer that it understood, or none in time.
func isUnknownStatus(code int) bool { return code == 502 || code == 504 }
