package delivery

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"segue/contract"
)

// judge settles the outcome by the status, and that of a SOAP call by its envelope. It is the receiver's word on the
// request: with a 2xx it has taken it. That the body is too long after that, too slow
// or breaks off changes nothing of it; to send again would be a certain duplicate for
// the sake of bytes that are mostly of no use. What is lost by it, values to return or
// the excerpt of a failure, the message says. So there are no classes of faults in a
// body, and a timeout is always one before the header was whole.
func (x *exchange) judge(o *contract.Outcome, resp *http.Response) {
	class, verdict := classOfStatus(x.policy, resp.StatusCode)
	o.Code, o.Class, o.Verdict = resp.StatusCode, string(class), verdict
	body, fault := readBody(resp, x.policy.Limits.Response)
	if x.watch != nil {
		x.watch.answered(resp, x.used.redact(string(body)))
	}
	said, a, unknown := statusLine(class, resp.StatusCode), answer{string(body), resp.Header.Get("Content-Type")}, isUnknownStatus(resp.StatusCode)
	if x.policy.SOAP && mayHoldFault(verdict, resp.StatusCode) {
		a = a.root()
		if why := x.judgeEnvelope(o, a, fault); why != "" {
			said = why + ", " + said
			unknown = o.Class == string(ClassUnexpected)
		}
	}
	if o.Verdict == contract.VerdictDelivered {
		o.Message = fault
		if len(x.policy.Returns) > 0 {
			var missing string
			o.Returns, missing = returned(x.policy, a, x.used)
			o.Message = joined(fault, missing)
		}
		return
	}
	x.floor = retryAfter(resp.Header, time.Now())
	o.Excerpt = x.excerpt(body)
	o.Message = joined(said, fault)
	if unknown && o.Verdict == contract.VerdictFinal && !x.policy.Idempotent {
		o.Message = joined(o.Message, contract.AskReceiver)
	}
}

// judgeEnvelope settles the outcome of a SOAP call by its envelope, and returns why; ""
// leaves it to the status. A fault is a failure whatever the status. A success without
// an envelope, such as the page of a proxy, says nothing of the request. An empty one
// answers a one-way operation.
func (x *exchange) judgeEnvelope(o *contract.Outcome, a answer, unread string) (why string) {
	fault, err := isSOAP(a.body, a.contentType)
	switch {
	case fault != nil:
		o.Class, o.Verdict = string(ClassSOAPFault), x.policy.verdictOn(o.Code, ClassSOAPFault, fault.verdict())
		return x.used.redact(fault.message())
	case err == nil, o.Verdict != contract.VerdictDelivered, unread == "" && strings.TrimSpace(a.body) == "":
		return ""
	}
	standard := contract.VerdictRetry
	if !x.policy.Idempotent {
		standard = contract.VerdictFinal
	}
	o.Class, o.Verdict = string(ClassUnexpected), x.policy.verdictOn(o.Code, ClassUnexpected, standard)
	return err.Error()
}

// excerpt is the beginning of a response, without the secrets that may be in it. It
// is looked for them beyond its end, where one may go on.
func (x *exchange) excerpt(body []byte) string {
	text := strings.ToValidUTF8(string(body[:min(len(body), 8*maxExcerpt)]), "\uFFFD")
	return bounded(x.used.redact(text), maxExcerpt)
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
