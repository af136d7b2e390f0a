package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"segue/config"
	"segue/delivery"
	"segue/gateway/problem"
)

// Options configure an Auth. All but Resolve have a default.
type Options struct {
	Log *slog.Logger
	// Resolve reads a secret. Passwords are read again every few seconds, so that a rotated one counts.
	Resolve func(delivery.SecretRef) (string, error)
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Throttle returns how long a remote address must wait before it may guess again; 0 for not at all.
	// Failed counts a failed guess. Package limits has both.
	Throttle func(netip.Addr) time.Duration
	Failed   func(netip.Addr)
	// Observe is called with the class of each refusal, for metrics. There are few classes.
	Observe func(class string)
	// Sweep is how often credentials of open streams are checked; default 5 s.
	Sweep time.Duration
	// Refresh is the shortest time between two requests for the keys of an issuer; default 5 s.
	Refresh time.Duration
}

// Auth authenticates requests. It is safe for concurrent use.
type Auth struct {
	options Options
	current atomic.Pointer[state]
	// made seals cookies while no session keys are configured.
	made      string
	passwords *passwords
	watch     *watch
	logged    *rate.Limiter

	// context ends with Close; updating orders updates.
	context  context.Context
	end      context.CancelFunc
	updating sync.Mutex
	running  sync.WaitGroup
}

// New returns an Auth. It reports an error if the configuration is unsafe, or a secret cannot be read.
// It does not wait for issuers of tokens: they are asked in the background until they answer.
func New(gateway config.Gateway, options Options) (*Auth, error) {
	if options.Resolve == nil {
		return nil, errors.New("auth: Options.Resolve is missing")
	}
	setDefaults(&options)
	a := &Auth{options: options, made: rand.Text() + rand.Text(), logged: rate.NewLimiter(10, 20)}
	a.passwords = newPasswords(options)
	a.watch = newWatch(options.Now, options.Sweep)
	a.context, a.end = context.WithCancel(context.Background())
	if err := a.Update(gateway); err != nil {
		a.end()
		return nil, err
	}
	return a, nil
}

func setDefaults(o *Options) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Throttle == nil {
		o.Throttle = func(netip.Addr) time.Duration { return 0 }
	}
	if o.Failed == nil {
		o.Failed = func(netip.Addr) {}
	}
	if o.Observe == nil {
		o.Observe = func(string) {}
	}
	if o.Sweep <= 0 {
		o.Sweep = 5 * time.Second
	}
	if o.Refresh <= 0 {
		o.Refresh = 5 * time.Second
	}
}

// Update replaces the configuration at once for all requests. Streams whose credential is gone or
// changed end. If it reports an error, the configuration before stays current.
func (a *Auth) Update(gateway config.Gateway) error {
	a.updating.Lock()
	defer a.updating.Unlock()
	before := a.current.Load()
	next, err := a.build(gateway, before)
	if err != nil {
		return err
	}
	a.current.Store(next)
	for _, i := range next.issuers {
		a.discover(i)
	}
	if before != nil {
		before.endIssuersBut(next)
	}
	a.passwords.forget()
	a.watch.sweep()
	return nil
}

// Close ends what runs in the background, and waits for it.
func (a *Auth) Close() {
	a.end()
	a.watch.close()
	a.running.Wait()
}

// Health returns why credentials of some kind are refused at present; none if all is well.
func (a *Auth) Health() []string {
	var reasons []string
	for _, i := range a.current.Load().issuers {
		if i.verifier.Load() == nil {
			reasons = append(reasons, fmt.Sprintf("gateway.auth.jwt: the issuer %s has not answered yet", i.config.Name))
		}
	}
	return reasons
}

// refusal is why a request is not let in: the class is for the log, the problem for the client.
type refusal struct {
	class   string
	problem *problem.Problem
	// guess reports that a credential was given and is wrong.
	guess bool
}

func wrong(class string) *refusal {
	return &refusal{class: class, guess: true, problem: problem.New(problem.Unauthenticated, "")}
}

func absent() *refusal {
	return &refusal{class: "none", problem: problem.New(problem.Unauthenticated, "")}
}

func malformed(class, detail string) *refusal {
	return &refusal{class: class, problem: problem.New(problem.Malformed, detail)}
}

func unavailable(class string) *refusal {
	p := problem.New(problem.Unavailable, "")
	p.RetryAfter = 5 * time.Second
	return &refusal{class: class, problem: p}
}

func throttled(wait time.Duration) *refusal {
	p := problem.New(problem.RateLimited, "")
	p.RetryAfter = wait
	return &refusal{class: "throttled", problem: p}
}

func notPermitted(class, detail string) *refusal {
	p := problem.New(problem.NotPermitted, detail)
	p.Why = class
	return &refusal{class: class, problem: p}
}

// answer counts and logs a refusal, and returns what the client may know of it. A guess is answered
// with 429 while its address has guessed too much.
func (a *Auth) answer(r *http.Request, no *refusal) *problem.Problem {
	a.options.Observe(no.class)
	if a.logged.Allow() {
		a.options.Log.Info("Request refused", "class", no.class, "status", no.problem.Status)
	}
	if !no.guess {
		return no.problem
	}
	remote := RemoteOf(r)
	if wait := a.options.Throttle(remote); wait > 0 {
		return throttled(wait).problem
	}
	a.options.Failed(remote)
	return no.problem
}

// RemoteOf returns the address that the request came from; the zero address if there is none.
func RemoteOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// Challenge is the WWW-Authenticate header of every 401. It names no check, and no Basic: a browser
// would ask for a password, and send it with each request of any page from then on.
const Challenge = `Bearer realm="segue"`

// Refuse answers with a problem of this package, which has the challenge if it is a 401.
func Refuse(w http.ResponseWriter, p *problem.Problem) {
	Challenged(w.Header(), p)
	problem.Write(w, p)
}

// Challenged adds the challenge to the headers of an answer with status 401, for faces that write
// their own form.
func Challenged(h http.Header, p *problem.Problem) {
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", Challenge)
	}
}
