package delivery

import (
	"io"
	"net/http"
	"time"

	"segue/contract"
)

// maxDrained is how long a refusal may be that is read to keep its connection, in bytes.
const maxDrained = 4 << 10

// noTokenError is an attempt that ends for want of a token.
type noTokenError struct {
	code  int // of the receiver that refused the one before, else 0
	cause error
}

func (e *noTokenError) Error() string {
	if e.code != 0 {
		return joined(statusLine(ClassHTTP4xx, e.code), e.cause.Error())
	}
	return e.cause.Error()
}

func (e *noTokenError) Unwrap() error { return e.cause }

// roundTrip sends the request, with a token when it needs one. A receiver that
// refuses a token we have held is asked once more with a new one, for the token
// may have been revoked: the same id and bytes, within the same deadline.
func (x *exchange) roundTrip(req *http.Request) (*http.Response, error) {
	if x.grant == nil {
		return x.transmit(req)
	}
	token, fresh, err := x.tokens.get(req.Context(), x.grant, "")
	if err != nil {
		return nil, &noTokenError{cause: err}
	}
	resp, err := x.transmit(x.withToken(req, token))
	switch {
	case err != nil:
		return nil, err
	case !x.isTokenRejected(resp):
		x.tokens.accepted(x.grant, token)
		return resp, nil
	case fresh:
		return resp, nil
	}
	another, _, err := x.tokens.get(req.Context(), x.grant, token)
	if another == token {
		return resp, nil // it replaced a refused one itself
	}
	// A short answer is read to keep its connection; one without an end would take
	// the time that the repeat needs.
	if resp.ContentLength >= 0 && resp.ContentLength <= maxDrained {
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	resp.Body.Close()
	if err != nil {
		return nil, &noTokenError{code: resp.StatusCode, cause: err}
	}
	if req, err = cloneRequest(req); err != nil {
		return nil, err
	}
	resp, err = x.transmit(x.withToken(req, another))
	if err == nil && !x.isTokenRejected(resp) {
		x.tokens.accepted(x.grant, another)
	}
	return resp, err
}

func (x *exchange) transmit(req *http.Request) (resp *http.Response, err error) {
	x.signer.sign(req, time.Now())
	resp, x.sent, err = transmit(x.transport, req, x.policy.Idempotent)
	return resp, err
}

func (x *exchange) withToken(req *http.Request, token string) *http.Request {
	x.used.add(token)
	req.Header.Set("Authorization", "Bearer "+token)
	return req
}

// isTokenRejected tells whether the receiver did not take the token.
func (x *exchange) isTokenRejected(resp *http.Response) bool {
	if resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	_, verdict := classOfStatus(x.policy, resp.StatusCode)
	return verdict != contract.VerdictDelivered
}

// cloneRequest is the request with its body from the beginning.
func cloneRequest(req *http.Request) (*http.Request, error) {
	second := req.Clone(req.Context())
	if req.GetBody == nil {
		return second, nil // there is none
	}
	body, err := req.GetBody()
	second.Body = body
	return second, err
}
