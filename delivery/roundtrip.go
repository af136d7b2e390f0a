package delivery

import (
	"io"
	"net/http"
	"time"

	"segue/contract"
)

// maxDrained bounds a 401 response that is read to reuse its connection, in bytes.
const maxDrained = 4 << 10

// noTokenError is the error of an attempt that gets no token.
type noTokenError struct {
	code  int // with which the receiver rejected the token before, else 0
	cause error
}

func (e *noTokenError) Error() string {
	if e.code != 0 {
		return joined(statusLine(ClassHTTP4xx, e.code), e.cause.Error())
	}
	return e.cause.Error()
}

func (e *noTokenError) Unwrap() error { return e.cause }

// roundTrip sends the request, with a token if it needs one. If the receiver rejects a
// cached token, roundTrip sends the request again with a new one, because the token may
// have been revoked: with the same id and bytes, within the same deadline.
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
		return resp, nil // it has replaced a rejected one itself
	}
	// A short response is read, to reuse the connection; an endless one would take the time
	// that the second request needs.
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

// isTokenRejected reports whether the receiver rejected the token.
func (x *exchange) isTokenRejected(resp *http.Response) bool {
	if resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	_, verdict := classOfStatus(x.policy, resp.StatusCode)
	return verdict != contract.VerdictDelivered
}

// cloneRequest returns a copy of the request with its body from the beginning.
func cloneRequest(req *http.Request) (*http.Request, error) {
	second := req.Clone(req.Context())
	if req.GetBody == nil {
		return second, nil // the request has no body
	}
	body, err := req.GetBody()
	second.Body = body
	return second, err
}
