package contract

// DeliveryDetail is a delivery with its request and the last response.
type DeliveryDetail struct {
	DeliveryRecord
	DeliveryExchange
}

// DeliveryExchange is the request of a delivery and the last response, as people read them: without secrets.
type DeliveryExchange struct {
	// Request is the request of the last attempt, or the one that waits for its first. If it is not on record, NotKept
	// states why.
	Request *SentRequest `json:"request,omitempty"`
	NotKept string       `json:"request_not_kept,omitempty"`
	// Response is the result of the last attempt that has ended.
	Response *SentResponse `json:"response,omitempty"`
}

// SentRequest is a rendered request. Credentials, the signature and its timestamp are added when it is sent, and are on no
// record; what looks like a credential is replaced by ***.
type SentRequest struct {
	Method  string       `json:"method,omitempty"`
	URL     string       `json:"url,omitempty"`
	Headers []SentHeader `json:"headers,omitempty"`
	// Body is the body or its beginning, and BodyBytes the size of the whole body.
	Body      string `json:"body,omitempty"`
	BodyBytes int    `json:"body_bytes,omitempty"`
	// Fault is why the call could not be rendered; such a request was never sent.
	Fault string `json:"fault,omitempty"`
}

// SentHeader is one header of a SentRequest.
type SentHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SentResponse is the result of one attempt.
type SentResponse struct {
	// At is when the attempt ended, and MS its duration in milliseconds.
	At string `json:"at,omitempty"`
	MS int64  `json:"ms"`
	// Code is the HTTP status, absent if there was no response.
	Code  int    `json:"code,omitempty"`
	Class string `json:"class"`
	// Why is the failure in plain words.
	Why string `json:"why,omitempty"`
	// Excerpt is the beginning of the response's body; it is kept of failed attempts only.
	Excerpt string `json:"excerpt,omitempty"`
}
