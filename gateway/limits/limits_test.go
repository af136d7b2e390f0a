package limits_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/gateway/auth"
	"segue/gateway/limits"
	"segue/gateway/problem"
)

type clock struct {
	mutex sync.Mutex
	now   time.Time
}

func (c *clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func send(h http.Handler, c *auth.Caller) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if c != nil {
		r = r.WithContext(auth.With(r.Context(), c))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var ok = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

func TestACredentialHasItsRate(t *testing.T) {
	clock := newClock()
	h := limits.New(limits.Options{Now: clock.Now}).Middleware(ok)
	one, other := &auth.Caller{Name: "key:one", Rate: 5}, &auth.Caller{Name: "key:other", Rate: 5}
	for range 5 {
		require.Equal(t, 200, send(h, one).Code)
	}
	refused := send(h, one)
	require.Equal(t, 429, refused.Code)
	require.Equal(t, "1", refused.Header().Get("Retry-After"))
	require.Contains(t, refused.Body.String(), "urn:segue:rate-limited")
	require.Equal(t, 200, send(h, other).Code, "another credential has its own rate")
	clock.add(200 * time.Millisecond)
	require.Equal(t, 200, send(h, one).Code)
	require.Equal(t, 429, send(h, one).Code)
	faster := &auth.Caller{Name: "key:one", Rate: 50}
	send(h, faster)
	clock.add(100 * time.Millisecond)
	for range 5 {
		require.Equal(t, 200, send(h, faster).Code, "a reload that changes the rate counts at once")
	}
}

func TestASlowRateSaysWhenTheNextRequestMayCome(t *testing.T) {
	h := limits.New(limits.Options{Now: newClock().Now}).Middleware(ok)
	slow := &auth.Caller{Name: "key:slow", Rate: 0.1}
	require.Equal(t, 200, send(h, slow).Code)
	require.Equal(t, "10", send(h, slow).Header().Get("Retry-After"))
}

func TestAFaceRefusesInItsOwnForm(t *testing.T) {
	l := limits.New(limits.Options{Now: newClock().Now})
	h := l.For(func(r *http.Request) *auth.Caller { return auth.From(r.Context()) }, func(w http.ResponseWriter, _ *http.Request, p *problem.Problem) {
		w.WriteHeader(p.Status)
		fmt.Fprint(w, "its own form")
	}, ok)
	caller := &auth.Caller{Name: "key:one", Rate: 1}
	require.Equal(t, 200, send(h, caller).Code)
	refused := send(h, caller)
	require.Equal(t, 429, refused.Code)
	require.Equal(t, "its own form", refused.Body.String())
}

func TestWithoutARateThereIsNoLimit(t *testing.T) {
	h := limits.New(limits.Options{Now: newClock().Now}).Middleware(ok)
	for range 1000 {
		require.Equal(t, 200, send(h, &auth.Caller{Name: "loopback"}).Code)
		require.Equal(t, 200, send(h, nil).Code)
	}
}

func TestRequestsAtOnceAreBoundedButThoseThatHoldAreNotCounted(t *testing.T) {
	l := limits.New(limits.Options{Now: newClock().Now, AtOnce: 2})
	caller := &auth.Caller{Name: "key:one", Rate: 1000}
	busy, held, end := make(chan struct{}), make(chan struct{}), make(chan struct{})
	slow := l.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { busy <- struct{}{}; <-end }))
	holding := l.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		limits.Hold(r.Context())
		limits.Hold(r.Context())
		held <- struct{}{}
		<-end
	}))
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { send(holding, caller) })
		<-held
	}
	for range 2 {
		all.Go(func() { send(slow, caller) })
		<-busy
	}
	require.Equal(t, 429, send(l.Middleware(ok), caller).Code)
	require.Equal(t, 200, send(l.Middleware(ok), &auth.Caller{Name: "key:other", Rate: 1}).Code)
	close(end)
	all.Wait()
	require.Equal(t, 200, send(l.Middleware(ok), caller).Code)
	panicking := l.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("defect") }))
	for range 3 {
		require.Panics(t, func() { send(panicking, caller) })
	}
	require.Equal(t, 200, send(l.Middleware(ok), caller).Code, "a panic frees its place")
}

func TestStreams(t *testing.T) {
	l := limits.New(limits.Options{Now: newClock().Now, StreamsOfUser: 2, Streams: 5})
	one := &auth.Caller{Name: "key:one", Rate: 200}
	open := func(c *auth.Caller) func() {
		release, err := l.Stream(c)
		require.NoError(t, err)
		return release
	}
	refused := func(c *auth.Caller) {
		_, err := l.Stream(c)
		var p *problem.Problem
		require.ErrorAs(t, err, &p)
		require.Equal(t, problem.RateLimited, p.Type)
		require.Positive(t, p.RetryAfter)
	}
	first := open(one)
	open(one)
	refused(one)
	first()
	first()
	require.Equal(t, 1, l.Open())
	open(one)
	refused(one)
	for range 3 {
		open(&auth.Caller{Name: "loopback"})
	}
	refused(&auth.Caller{Name: "loopback"})
	refused(&auth.Caller{Name: "key:other", Rate: 200})
}

func TestGuessesOfAnAddressAreBounded(t *testing.T) {
	clock := newClock()
	l := limits.New(limits.Options{Now: clock.Now})
	here := netip.MustParseAddr("203.0.113.7")
	for range 20 {
		require.Zero(t, l.Throttle(here))
		l.Failed(here)
	}
	require.Positive(t, l.Throttle(here))
	require.Zero(t, l.Throttle(netip.MustParseAddr("203.0.113.8")))
	require.Positive(t, l.Throttle(netip.MustParseAddr("::ffff:203.0.113.7")), "the same address in another form")
	clock.add(50 * time.Millisecond)
	require.Zero(t, l.Throttle(here))
	l.Failed(here)
	require.Positive(t, l.Throttle(here))
	for n := range 20 {
		l.Failed(netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", n)))
	}
	require.Positive(t, l.Throttle(netip.MustParseAddr("2001:db8::ffff:1")), "a client has 64 bits of IPv6 addresses")
	require.Zero(t, l.Throttle(netip.MustParseAddr("2001:db8:0:1::1")))
}

func TestWhatIsIdleIsForgotten(t *testing.T) {
	clock := newClock()
	l := limits.New(limits.Options{Now: clock.Now})
	h := l.Middleware(ok)
	release, err := l.Stream(&auth.Caller{Name: "key:open", Rate: 1})
	require.NoError(t, err)
	for n := range 1000 {
		send(h, &auth.Caller{Name: fmt.Sprint("jwt:", n), Rate: 1})
		l.Failed(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}))
	}
	credentials, remotes := l.Known()
	require.Equal(t, []int{1001, 1000}, []int{credentials, remotes})
	clock.add(2 * time.Minute)
	send(h, &auth.Caller{Name: "key:late", Rate: 1})
	credentials, remotes = l.Known()
	require.Equal(t, []int{2, 0}, []int{credentials, remotes}, "an open stream is remembered")
	release()
}

func TestAddressesAreBounded(t *testing.T) {
	l := limits.New(limits.Options{Now: newClock().Now})
	for n := range 70_000 {
		l.Failed(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}))
	}
	_, remotes := l.Known()
	require.Equal(t, 65_536, remotes)
}

// TestTheGatewayAndTheLimitsTogether guesses passwords until the address must wait, and then uses a key.
func TestTheGatewayAndTheLimitsTogether(t *testing.T) {
	clock := newClock()
	l := limits.New(limits.Options{Now: clock.Now})
	a, err := auth.New(gateway(), auth.Options{Resolve: resolve, Now: clock.Now, Throttle: l.Throttle, Failed: l.Failed})
	require.NoError(t, err)
	defer a.Close()
	h := a.For(auth.GWS())(l.Middleware(ok))
	by := func(set func(*http.Request)) int {
		r := httptest.NewRequest(http.MethodGet, "/api/v2/me", nil)
		set(r)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	password := func(p string) int { return by(func(r *http.Request) { r.SetBasicAuth("bob", p) }) }
	for range 30 {
		require.Equal(t, 401, by(func(r *http.Request) { r.Header.Set("Cookie", "JSESSIONID=ended") }), "a cookie that has ended is no guess")
		require.Equal(t, 401, by(func(*http.Request) {}), "no credential is no guess")
	}
	for n := range 20 {
		require.Equal(t, 401, password(fmt.Sprint("guess", n)))
	}
	require.Equal(t, 429, password("guess"))
	require.Equal(t, 429, password("open sesame"), "the right guess must not be known either")
	require.Equal(t, 429, by(func(r *http.Request) { r.Header.Set("X-API-Key", "guess") }))
	require.Equal(t, 200, by(func(r *http.Request) { r.Header.Set("X-API-Key", "the-key") }), "a key behind the same address passes")
	clock.add(time.Second)
	require.Equal(t, 200, password("open sesame"))
	for n := range 21 {
		password(fmt.Sprint("guess", n))
	}
	require.Equal(t, 429, password("guess"))
	require.Equal(t, 200, password("open sesame"), "a password that was verified lately passes")
}

func TestAClientIsAnIPv4AddressOrAnIPv6Network(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32", "2001:db8::1": "2001:db8::/64", "2001:db8::ffff:1": "2001:db8::/64",
	} {
		require.Equal(t, want, limits.NetworkOf(netip.MustParseAddr(address)).String())
	}
}
