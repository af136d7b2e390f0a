package client

import (
	"cmp"
	"time"

	"segue/contract"
	"segue/excerpt"
)

// SentInline is why the request of a delivery that Dispatch sent is not on record: a copy in the history would cost the usual delivery
// its space, and would keep personal data.
const SentInline = "the request was sent within the workflow task, which records only the result"

const notOnRecord = "no history that Temporal still has contains the request"

// Shown returns the request and the response of a delivery for people; record is the delivery's. The body of the request is cut to at
// most bodyLimit bytes, if that is positive.
func (x Exchange) Shown(record contract.DeliveryRecord, bodyLimit int) contract.DeliveryExchange {
	var shown contract.DeliveryExchange
	switch {
	case x.Request != nil:
		shown.Request = x.request(bodyLimit)
	case x.Outcome != nil:
		shown.NotKept = SentInline
	default:
		shown.NotKept = notOnRecord
	}
	if o := x.Outcome; o != nil {
		shown.Response = &contract.SentResponse{MS: o.MS, Code: o.Code, Class: o.Class, Why: o.Message, Excerpt: o.Excerpt}
		if !o.At.IsZero() {
			shown.Response.At = o.At.UTC().Format(time.RFC3339Nano)
		}
	}
	if n := len(record.Attempts); n > 0 && (x.Outcome == nil || isLater(record.At, x.Outcome.At)) {
		// A part of the lane made the attempt.
		last := record.Attempts[n-1]
		shown.Response = &contract.SentResponse{At: last.At, MS: last.MS, Code: last.Code, Class: last.Class, Why: record.Why, Excerpt: record.Answer}
	}
	return shown
}

func isLater(stamp string, than time.Time) bool {
	at, err := time.Parse(time.RFC3339Nano, stamp)
	return err == nil && at.After(than)
}

func (x Exchange) request(bodyLimit int) *contract.SentRequest {
	masked, _ := x.Request.Masked()
	sent := &contract.SentRequest{Method: masked.Method, URL: masked.URL, Body: masked.Body, BodyBytes: len(masked.Body), Fault: masked.Fault}
	if bodyLimit > 0 {
		sent.Body = excerpt.Cut(masked.Body, bodyLimit)
	}
	for _, h := range masked.Headers {
		sent.Headers = append(sent.Headers, contract.SentHeader{Name: h.Name, Value: h.Text(cmp.Or(x.Attempt, 1))})
	}
	return sent
}
