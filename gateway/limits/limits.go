package limits

import (
	"context"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"segue/gateway/auth"
	"segue/gateway/problem"
)

// The limits of faces.
const (
	AtOnce         = 256
	StreamsOfUser  = 10
	Streams        = 20_000
	FailedASecond  = 20
	maxCredentials = 100_000
	maxRemotes     = 65_536
	// idleAfter is when what is known of a credential or an address is forgotten. Its bucket is full
	// again long before.
	idleAfter = time.Minute
)

// Options configure limits; the zero value has the limits above.
type Options struct {
	// Now is the clock; default time.Now.
	Now func() time.Time
	// AtOnce, StreamsOfUser, Streams and FailedASecond replace the constants of the same names.
	AtOnce, StreamsOfUser, Streams, FailedASecond int
}

// Limits counts what clients use. It is safe for concurrent use.
type Limits struct {
	options Options

	mutex       sync.Mutex
	credentials map[string]*usage
	remotes     map[netip.Prefix]*usage
	streams     int
	swept       time.Time
}

// usage is what a credential or an address uses.
type usage struct {
	bucket  *rate.Limiter
	atOnce  int
	streams int
	seen    time.Time
}

// New returns limits.
func New(options Options) *Limits {
	if options.Now == nil {
		options.Now = time.Now
	}
	for value, standard := range map[*int]int{&options.AtOnce: AtOnce, &options.StreamsOfUser: StreamsOfUser,
		&options.Streams: Streams, &options.FailedASecond: FailedASecond} {
		if *value <= 0 {
			*value = standard
		}
	}
	return &Limits{options: options, credentials: map[string]*usage{}, remotes: map[netip.Prefix]*usage{}, swept: options.Now()}
}

// Middleware bounds the requests of each caller. It comes after authentication. A caller without a
// rate, which is a program on this machine while gateway.auth is empty, has no limit.
func (l *Limits) Middleware(next http.Handler) http.Handler {
	return l.For(func(r *http.Request) *auth.Caller { return auth.From(r.Context()) },
		func(w http.ResponseWriter, _ *http.Request, p *problem.Problem) { problem.Write(w, p) }, next)
}

// For is Middleware for a face that refuses in its own form, and that has requests without a caller: who
// is as whose a request counts.
func (l *Limits) For(who func(*http.Request) *auth.Caller, refuse func(http.ResponseWriter, *http.Request, *problem.Problem), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held, p := l.Enter(r.Context(), who(r))
		if p != nil {
			refuse(w, r, p)
			return
		}
		defer Hold(held)
		next.ServeHTTP(w, r.WithContext(held))
	})
}

type slotKey struct{}

// slot is the place of one request among those at once.
type slot struct {
	once sync.Once
	free func()
}

// Enter counts a request of the caller until Hold is called with the context that it returns. The
// middleware does both; a face does for each message of a WebSocket.
func (l *Limits) Enter(ctx context.Context, c *auth.Caller) (context.Context, *problem.Problem) {
	if c == nil || c.Rate <= 0 {
		return ctx, nil
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	now := l.options.Now()
	u := l.usageOf(c, now)
	if u.bucket == nil {
		u.bucket = rate.NewLimiter(rate.Limit(c.Rate), burstOf(c.Rate))
	}
	if u.bucket.Limit() != rate.Limit(c.Rate) {
		u.bucket.SetLimitAt(now, rate.Limit(c.Rate))
		u.bucket.SetBurstAt(now, burstOf(c.Rate))
	}
	if u.atOnce >= l.options.AtOnce {
		return nil, limited("Too many requests of this credential are in progress.", time.Second)
	}
	if !u.bucket.AllowN(now, 1) {
		return nil, limited("The credential sends more requests a second than it may.", waitOf(u.bucket, now))
	}
	u.atOnce++
	return context.WithValue(ctx, slotKey{}, &slot{free: func() { l.leave(u) }}), nil
}

func (l *Limits) leave(u *usage) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	u.atOnce--
	u.seen = l.options.Now()
}

// Hold takes a request out of those at once: the handler of a stream or of a held connect calls it
// before it waits. More calls do nothing.
func Hold(ctx context.Context) {
	if s, ok := ctx.Value(slotKey{}).(*slot); ok {
		s.once.Do(s.free)
	}
}

// Stream counts an open stream of the caller until release is called. It returns a *problem.Problem if
// the caller or the replica has too many.
func (l *Limits) Stream(c *auth.Caller) (release func(), err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	u := l.usageOf(c, l.options.Now())
	if l.streams >= l.options.Streams {
		return nil, limited("The gateway has too many open streams.", 10*time.Second)
	}
	if c.Rate > 0 && u.streams >= l.options.StreamsOfUser {
		return nil, limited("The user has too many open streams.", 10*time.Second)
	}
	u.streams++
	l.streams++
	return sync.OnceFunc(func() {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		u.streams--
		l.streams--
		u.seen = l.options.Now()
	}), nil
}

// Open returns how many streams are open.
func (l *Limits) Open() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.streams
}

// Throttle returns how long a remote address must wait before it may guess again; 0 for not at all.
func (l *Limits) Throttle(remote netip.Addr) time.Duration {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	u := l.remotes[NetworkOf(remote)]
	now := l.options.Now()
	if u == nil || u.bucket.TokensAt(now) >= 1 {
		return 0
	}
	return waitOf(u.bucket, now)
}

// Failed counts a failed guess of a remote address.
func (l *Limits) Failed(remote netip.Addr) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	now := l.options.Now()
	l.sweep(now)
	network := NetworkOf(remote)
	u := l.remotes[network]
	if u == nil {
		makeRoom(l.remotes, maxRemotes)
		u = &usage{bucket: rate.NewLimiter(rate.Limit(l.options.FailedASecond), l.options.FailedASecond)}
		l.remotes[network] = u
	}
	u.seen = now
	u.bucket.AllowN(now, 1)
}

// NetworkOf returns what one client has: an IPv4 address, or the 64 bits of an IPv6 network.
func NetworkOf(remote netip.Addr) netip.Prefix {
	bits := 32
	if remote.Is6() && !remote.Is4In6() {
		bits = 64
	}
	network, err := remote.Unmap().Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all such are one client
	}
	return network
}

func (l *Limits) usageOf(c *auth.Caller, now time.Time) *usage {
	l.sweep(now)
	u := l.credentials[c.Name]
	if u == nil {
		makeRoom(l.credentials, maxCredentials)
		u = &usage{}
		l.credentials[c.Name] = u
	}
	u.seen = now
	return u
}

// sweep forgets what is idle, at most once a minute.
func (l *Limits) sweep(now time.Time) {
	if now.Sub(l.swept) < idleAfter {
		return
	}
	l.swept = now
	forgetIdle(l.credentials, now)
	forgetIdle(l.remotes, now)
}

func forgetIdle[K comparable](uses map[K]*usage, now time.Time) {
	for key, u := range uses {
		if u.isUnused() && now.Sub(u.seen) >= idleAfter {
			delete(uses, key)
		}
	}
}

func (u *usage) isUnused() bool { return u.atOnce == 0 && u.streams == 0 }

// makeRoom forgets any that is unused if there are too many. Those in use are bounded by connections.
func makeRoom[K comparable](uses map[K]*usage, most int) {
	if len(uses) < most {
		return
	}
	for key, u := range uses {
		if u.isUnused() {
			delete(uses, key)
			return
		}
	}
}

// burstOf lets a credential send its requests of a second at once.
func burstOf(perSecond float64) int { return max(1, int(math.Ceil(perSecond))) }

func waitOf(bucket *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - bucket.TokensAt(now)
	return max(time.Second, time.Duration(missing/float64(bucket.Limit())*float64(time.Second)))
}

func limited(detail string, wait time.Duration) *problem.Problem {
	p := problem.New(problem.RateLimited, detail)
	p.RetryAfter = wait
	return p
}
