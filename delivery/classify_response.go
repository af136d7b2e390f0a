package delivery

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"segue/contract"
	"segue/excerpt"
)

// classifyResponse completes the outcome by the status, and that of a SOAP call by its
// envelope. The status decides alone, because it is the receiver's verdict on the request:
// with a 2xx the receiver has taken it. A body that is too long, too slow or broken after
// that changes nothing: to send again would be a certain duplicate for bytes that are
// mostly of no use. The message says what is lost: values to return, or the excerpt of a
// failure. So no class stands for a fault in a body, and a timeout is always one before
// the header was complete.
func (x *exchange) classifyResponse(o *contract.Outcome, resp *http.Response) {
	class, verdict := classOfStatus(x.policy, resp.StatusCode)
	o.Code, o.Class, o.Verdict = resp.StatusCode, string(class), verdict
	body, fault := readBody(resp, x.policy.Limits.Response)
	if x.tracer != nil {
		x.tracer.setResponse(resp, x.used.redact(string(body)), body, fault)
	}
	message, unknown := statusLine(class, resp.StatusCode), isUnknownStatus(resp.StatusCode)
	c := content{string(body), resp.Header.Get("Content-Type")}
	if x.policy.SOAP && mayHoldFault(verdict, resp.StatusCode) {
		c = c.root()
		if why := x.classifyEnvelope(o, c, fault); why != "" {
			message = why + ", " + message
			unknown = o.Class == string(ClassUnexpected)
		}
	}
	if o.Verdict == contract.VerdictDelivered {
		o.Message = fault
		if len(x.policy.Returns) > 0 {
			var missing string
			o.Returns, missing = returned(x.policy, c, x.used)
			o.Message = joined(fault, missing)
		}
		return
	}
	x.retryAfter = retryAfter(resp.Header, time.Now())
	o.Excerpt = x.excerptOf(body)
	o.Message = joined(message, fault)
	if unknown && o.Verdict == contract.VerdictFinal && !x.policy.Idempotent {
		o.Message = joined(o.Message, contract.AskReceiver)
	}
}

// classifyEnvelope completes the outcome of a SOAP call by its envelope, and returns why;
// "" leaves the outcome to the status. A fault is a failure whatever the status is. A
// success without an envelope, such as the page of a proxy, says nothing about the
// request. An empty response answers a one-way operation. unread says what could not be
// read of the body.
func (x *exchange) classifyEnvelope(o *contract.Outcome, c content, unread string) (why string) {
	fault, err := isSOAP(c.body, c.contentType)
	switch {
	case fault != nil:
		o.Class, o.Verdict = string(ClassSOAPFault), x.policy.verdictOn(o.Code, ClassSOAPFault, fault.verdict())
		return x.used.redact(fault.message())
	case err == nil, o.Verdict != contract.VerdictDelivered, unread == "" && strings.TrimSpace(c.body) == "":
		return ""
	}
	standard := contract.VerdictRetry
	if !x.policy.Idempotent {
		standard = contract.VerdictFinal
	}
	o.Class, o.Verdict = string(ClassUnexpected), x.policy.verdictOn(o.Code, ClassUnexpected, standard)
	return err.Error()
}

// excerptOf returns the beginning of a response without secrets. It searches for them
// beyond the end of the excerpt, because one may begin inside it and end behind it.
func (x *exchange) excerptOf(body []byte) string {
	text := strings.ToValidUTF8(string(body[:min(len(body), 8*maxExcerpt)]), "\uFFFD")
	return excerpt.Cut(x.used.redact(text), maxExcerpt)
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
