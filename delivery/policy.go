package delivery

import (
	"time"

	"segue/contract"
)

// Policy is how one call is delivered: everything of a configured call that is
// not its request. Durations and sizes are final; defaults are already in it.
type Policy struct {
	// Call is the name of the configured call, unique in a configuration.
	Call string
	// Version is the configuration that the policy is of; it stands in every outcome.
	Version string
	// Origin is the scheme, host and port of the call's URL, by OriginOf: a request for
	// another one is parked. Empty compares nothing; a configured call always has one.
	Origin string
	// Timeout is the total deadline of one attempt: dial, TLS, request, response.
	Timeout time.Duration
	// Success lists the statuses that count as delivered; empty means 2xx.
	Success []StatusRange
	// Idempotent allows the inline way and a repeat without knowing the first outcome.
	// Without it, an attempt whose request has left and was not answered is final.
	Idempotent bool
	// NotInline keeps the call's deliveries off the inline way: each is sent by an Attempt
	// activity, after the command that caused it is durable.
	NotInline bool `json:",omitzero"`
	// Order is what a lane does behind a parked delivery.
	Order  Order
	Retry  Retry
	Limits Limits
	Auth   Auth
	TLS    TLS
	// Sign holds the Standard Webhooks secrets, newest first; empty: unsigned.
	Sign []SecretRef
	// Returns maps flat response keys to user data fields; Accept is what the response
	// is written in, empty when it says so itself.
	Returns []Return
	Accept  Format
	// Final lists statuses that no retry will help for this call, beside the defaults
	// (GWE's 400), and Retriable those that one may help; Final goes first.
	Final, Retriable []StatusRange
	// Verdicts says which classes are final or retried for this call against the
	// defaults; only those of Overridable. Statuses that are listed go first.
	Verdicts map[Class]contract.Verdict
	// SOAP says that the response is an envelope, in which a fault is a failure.
	SOAP bool
	// DryRun renders and records, but sends nothing; what was made before the call
	// became a dry run is parked.
	DryRun bool
}

// StatusRange is a closed range of HTTP statuses.
type StatusRange struct{ From, To int }

// Contains tells whether the status lies in the range.
func (r StatusRange) Contains(code int) bool { return code >= r.From && code <= r.To }

// Order is a lane's policy behind a parked delivery.
type Order string

// The policies of a lane.
const (
	OrderBlock     Order = "block"
	OrderSkip      Order = "skip"
	OrderUnordered Order = "unordered"
)

// Retry is the schedule of a call's further attempts.
type Retry struct {
	// Schedule holds the waits between attempts: n waits make n+1 attempts.
	Schedule []time.Duration
	// Jitter spreads each wait by this fraction either way, 0 to 1.
	Jitter float64
	// Retention is how long a parked delivery waits for an operator.
	Retention time.Duration
}

// Limits bound what one call may take of a process and of its receiver.
type Limits struct {
	// Concurrency is how many attempts may be under way at once; 0 is unlimited.
	Concurrency int
	// Rate is how many attempts may start in a second; 0 is unlimited.
	Rate float64
	// Response is how many bytes of a response are read after decompression.
	Response int64
}

// SecretRef names a secret without holding it: "env:NAME" or "file:PATH". It is
// resolved when sending.
type SecretRef string

// Auth is how a call authenticates; at most one of the fields is set.
type Auth struct {
	Basic  *BasicAuth
	Bearer SecretRef
	APIKey *APIKeyAuth
	OAuth2 *OAuth2Auth
	MTLS   *MTLSAuth
}

// BasicAuth is HTTP basic authentication.
type BasicAuth struct{ Username, Password SecretRef }

// APIKeyAuth sends a key in a header or a query parameter.
type APIKeyAuth struct {
	// In is "header" or "query".
	In   string
	Name string
	Key  SecretRef
}

// OAuth2Auth is the OAuth 2 client credentials grant.
type OAuth2Auth struct {
	TokenURL     string
	ClientID     SecretRef
	ClientSecret SecretRef
	Scopes       []string
	// TLS is what the token endpoint must show; what the call's own says does not
	// count for it.
	TLS TLS
	// Params are sent beside the grant's own: what some endpoints want, such as an audience.
	Params []Param
}

// Param is one more parameter of a token request.
type Param struct{ Name, Value string }

// MTLSAuth is a client certificate, as PEM.
type MTLSAuth struct{ Certificate, Key SecretRef }

// TLS is what a server must show; both fields are optional.
type TLS struct {
	// CA holds the authorities that are trusted instead of the system's, as PEM.
	CA SecretRef
	// ServerName is asked for and verified instead of the URL's host.
	ServerName string
}

// Return writes one flat response key into user data.
type Return struct{ From, To string }
