package delivery

import (
	"time"

	"segue/contract"
)

// Policy is how one call is delivered: everything of a configured call that is not its
// request. Defaults are already applied.
type Policy struct {
	// Call is the name of the configured call, unique in a configuration.
	Call string
	// Version is that of the configuration of the policy; every outcome contains it.
	Version string
	// Origin is the scheme, host and port of the call's URL, by OriginOf: a request for
	// another one is parked. Empty compares nothing; a configured call always has one.
	Origin string
	// Timeout bounds one attempt: dial, TLS, token, request and response.
	Timeout time.Duration
	// Success lists the statuses that count as delivered; empty means 2xx.
	Success []StatusRange
	// Idempotent allows inline delivery, and a retry while the previous outcome is unknown.
	// Otherwise an attempt whose request was sent and got no response is final.
	Idempotent bool
	// NotInline forbids inline delivery: each delivery is sent by an Attempt activity, after
	// the command that caused it is durable.
	NotInline bool `json:",omitzero"`
	// Order is what happens to the deliveries of a lane behind a parked one.
	Order  Order
	Retry  Retry
	Limits Limits
	Auth   Auth
	TLS    TLS
	// Sign holds the Standard Webhooks secrets, newest first; empty: unsigned.
	Sign []SecretRef
	// Returns maps flat response keys to user data fields; Accept is the format of the
	// response, empty if the response's Content-Type decides.
	Returns []Return
	Accept  Format
	// Final lists statuses that are final for this call, beside the default ones (GWE's 400),
	// and Retriable those that are retried; Final takes precedence.
	Final, Retriable []StatusRange
	// Verdicts overrides whether classes are final or retried for this call; only those of
	// Overridable. Statuses that are listed take precedence.
	Verdicts map[Class]contract.Verdict
	// SOAP is true if the response is a SOAP envelope, in which a fault is a failure.
	SOAP bool
	// DryRun is true if deliveries are rendered and recorded but not sent. Those that were
	// rendered before the call became a dry run are parked.
	DryRun bool
}

// StatusRange is a closed range of HTTP statuses.
type StatusRange struct{ From, To int }

// Contains reports whether the status is in the range.
func (r StatusRange) Contains(code int) bool { return code >= r.From && code <= r.To }

// Order is what happens to the deliveries of a lane behind a parked one.
type Order string

// The orders.
const (
	OrderBlock     Order = "block"
	OrderSkip      Order = "skip"
	OrderUnordered Order = "unordered"
)

// Retry is the schedule of a call's retries.
type Retry struct {
	// Schedule holds the waits between attempts: n waits make n+1 attempts.
	Schedule []time.Duration
	// Jitter moves each wait by up to this fraction either way, 0 to 1.
	Jitter float64
	// Retention is how long a parked delivery waits for an operator.
	Retention time.Duration
}

// Limits bound how much one call may use of a process and of its receiver.
type Limits struct {
	// Concurrency is how many attempts may be in flight at once; 0 is unlimited.
	Concurrency int
	// Rate is how many attempts may start in a second; 0 is unlimited.
	Rate float64
	// Response is how many bytes of a response are read after decompression.
	Response int64
}

// SecretRef is a reference to a secret, "env:NAME" or "file:PATH". It is resolved for each
// attempt.
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
	// TLS applies to the token endpoint; that of the call does not.
	TLS TLS
	// Params are sent beside those of the grant; some endpoints require one, such as audience.
	Params []Param
}

// Param is an additional parameter of a token request.
type Param struct{ Name, Value string }

// MTLSAuth is a client certificate, as PEM.
type MTLSAuth struct{ Certificate, Key SecretRef }

// TLS is what a server must present; both fields are optional.
type TLS struct {
	// CA contains the authorities that are trusted instead of the system's, as PEM.
	CA SecretRef
	// ServerName is requested and verified instead of the URL's host.
	ServerName string
}

// Return writes the value of one flat response key into a field of user data.
type Return struct{ From, To string }
