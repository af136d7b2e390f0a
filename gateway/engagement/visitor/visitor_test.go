package visitor_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus/bustest"
	"segue/client"
	"segue/contract"
	"segue/gateway/cometd"
	"segue/gateway/engagement/ticket"
	"segue/gateway/engagement/visitor"
	"segue/gateway/index"
	"segue/gateway/index/indextest"
)

// bench is visitors with all that they need, in a bubble of synctest.
type bench struct {
	t        *testing.T
	world    *indextest.World
	stream   *bustest.Stream
	tickets  *ticket.Tickets
	index    *index.Index
	visitors *visitor.Visitors
	server   *cometd.Server
	mux      *http.ServeMux
	isOpen   atomic.Bool
}

func run(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		first := &bench{t: t, world: indextest.New(), stream: bustest.New(), tickets: ticket.New(func() [][]byte { return nil })}
		b, stop := first.replica()
		for !b.index.Health().Complete {
			time.Sleep(10 * time.Millisecond)
		}
		defer stop()
		time.Sleep(time.Second) // the reader reads
		test(t, b)
	})
}

// replica starts a gateway over the same Temporal and the same bus.
func (b *bench) replica() (another *bench, stop func()) {
	another = &bench{t: b.t, world: b.world, stream: b.stream, tickets: b.tickets}
	another.index = index.New(index.Options{Client: &client.Client{Temporal: b.world, TaskQueue: "q", Patience: time.Millisecond}, Bus: b.stream})
	another.visitors = visitor.New(visitor.Options{
		Index: another.index, Tickets: b.tickets, Open: func() bool { return another.isOpen.Load() }, Center: func() string { return indextest.Center },
		Base:   func(r *http.Request) string { return "https://" + r.Host },
		Caller: func(*http.Request) *visitor.Caller { return &visitor.Caller{Name: "address"} },
	})
	another.server = another.visitors.CometD(func(w http.ResponseWriter, _ *http.Request, status int, detail string) { http.Error(w, detail, status) })
	another.mux = http.NewServeMux()
	another.mux.Handle("/server/cometd", another.server)
	another.mux.Handle(visitor.StreamPath+"{visitID}", another.visitors.Stream())
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = another.index.Run(ctx) })
	running.Go(func() { _ = another.visitors.Run(ctx) })
	return another, func() {
		another.server.Close()
		cancel()
		running.Wait()
	}
}

func (b *bench) publish(notices ...*contract.Notice) {
	for _, n := range notices {
		b.stream.Publish(n)
	}
	time.Sleep(time.Millisecond)
	synctest.Wait()
}

// invite starts and engages the interaction of a visit.
func (b *bench) invite(visit, page string) {
	b.publish(b.world.Start("visit-"+visit, `{"channel":"web"}`), b.engaged(visit, page))
}

func (b *bench) engaged(visit, page string) *contract.Notice {
	return b.world.Must("visit-"+visit, "engage", fmt.Sprintf(`{"ixnProfile":{"visitID":%q,"page":%q,"notification":[{"channel":"gpe.x","data":1}]}}`, visit, page))
}

func (b *bench) token(visit string, within time.Duration) string {
	token, err := b.tickets.Sign(ticket.Claims{Kind: ticket.Visit, ContactCenter: indextest.Center, Visit: visit, Expires: time.Now().Add(within).Unix()})
	require.NoError(b.t, err)
	return token
}

// browser is a page that speaks Bayeux.
type browser struct {
	b  *bench
	id string
	// cookie is the browser's own; empty for one that keeps none.
	cookie string
}

func (p *browser) post(body string) (replies []map[string]any, messages []string) {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/server/cometd", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if p.cookie != "" {
		r.AddCookie(&http.Cookie{Name: "BAYEUX_BROWSER", Value: p.cookie})
	}
	w := httptest.NewRecorder()
	p.b.mux.ServeHTTP(w, r)
	require.Equal(p.b.t, 200, w.Code, w.Body.String())
	var all []json.RawMessage
	require.NoError(p.b.t, json.Unmarshal(w.Body.Bytes(), &all))
	for _, one := range all {
		var m map[string]json.RawMessage
		require.NoError(p.b.t, json.Unmarshal(one, &m))
		if data, is := m["data"]; is {
			messages = append(messages, strings.Trim(string(m["channel"]), `"`)+" "+brief(p.b.t, data))
			continue
		}
		var reply map[string]any
		require.NoError(p.b.t, json.Unmarshal(one, &reply))
		replies = append(replies, reply)
	}
	return replies, messages
}

// brief is a message as its channels, the interaction, the attempt and whether it is over.
func brief(t *testing.T, data []byte) string {
	var all []struct {
		Channel string
		Data    json.RawMessage
	}
	require.NoError(t, json.Unmarshal(data, &all), string(data))
	var line []string
	for _, one := range all {
		line = append(line, one.Channel)
	}
	var own struct {
		IxnID       string
		Attempt     int
		Canceled    bool
		Disposition map[string]string
	}
	require.NoError(t, json.Unmarshal(all[len(all)-1].Data, &own))
	line = append(line, own.IxnID, fmt.Sprint(own.Attempt))
	if own.Canceled {
		line = append(line, "canceled")
	} else {
		require.Contains(t, own.Disposition["accepted"], "https://example.com/server/data/gateway/disposition?attempt=")
	}
	return strings.Join(line, " ")
}

func (b *bench) browser(ext string) *browser { return b.browserWith("", ext) }

func (b *bench) browserWith(cookie, ext string) *browser {
	p := &browser{b: b, cookie: cookie}
	replies, _ := p.post(`[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"],"ext":` + ext + `}]`)
	p.id, _ = replies[0]["clientId"].(string)
	return p
}

// subscribe returns the messages that came with it, and the error if it was denied.
func (p *browser) subscribe(channel, ext string) []string {
	replies, messages := p.post(fmt.Sprintf(`[{"channel":"/meta/subscribe","clientId":%q,"subscription":%q,"ext":%s}]`, p.id, channel, ext))
	if replies[0]["successful"] != true {
		return []string{fmt.Sprint(replies[0]["error"])}
	}
	return append(messages, p.poll()...)
}

func (p *browser) poll() []string {
	var all []string
	for {
		_, messages := p.post(fmt.Sprintf(`[{"channel":"/meta/connect","clientId":%q,"connectionType":"long-polling","advice":{"timeout":0}}]`, p.id))
		if len(messages) == 0 {
			return all
		}
		all = append(all, messages...)
	}
}

func ext(token string) string {
	return fmt.Sprintf(`{"segue":{"contact_center":%q,"token":%q}}`, indextest.Center, token)
}

const channelV1 = "/notification/v1 "

func TestAPageGetsItsInvitations(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		page := b.browser(ext(b.token("v1", time.Hour)))
		require.Empty(t, page.subscribe("/notification/v1", "null"))
		b.invite("v2", "a")
		require.Empty(t, page.poll(), "of another visit")
		b.invite("v1", "a")
		require.Equal(t, []string{channelV1 + "gpe.x gpe.segue visit-v1 1"}, page.poll())
		b.publish(b.world.Must("visit-v1", "attach_user_data", `{"user_data":{"a":1}}`))
		require.Empty(t, page.poll(), "nothing of the invitation has changed")
		b.publish(b.engaged("v1", "b"))
		require.Equal(t, []string{channelV1 + "gpe.x gpe.segue visit-v1 2"}, page.poll())

		late := b.browser(ext(b.token("v1", time.Hour)))
		require.Equal(t, []string{channelV1 + "gpe.x gpe.segue visit-v1 2"}, late.subscribe("/notification/v1", "null"), "late")
		require.Empty(t, late.poll(), "once")

		b.publish(b.world.Must("visit-v1", "noengage", `{"cancelData":{}}`))
		over := []string{channelV1 + "gpe.segue visit-v1 2 canceled"}
		require.Equal(t, over, page.poll())
		require.Equal(t, over, late.poll())
		require.Empty(t, b.browser(ext(b.token("v1", time.Hour))).subscribe("/notification/v1", "null"), "nothing is open")

		b.publish(b.world.Start("visit-v1", `{"channel":"web"}`), b.engaged("v1", "a"))
		require.Equal(t, []string{channelV1 + "gpe.x gpe.segue visit-v1 1"}, page.poll(), "started again")
		b.publish(b.world.Must("visit-v1", "engagement_result", `{"result":"accepted","queue":"q"}`))
		require.Equal(t, []string{channelV1 + "gpe.segue visit-v1 1 canceled"}, page.poll())
	})
}

func TestAPageThatSubscribesAgainGetsWhatIsOpen(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.invite("v1", "a")
		page := b.browser("null")
		open := []string{channelV1 + "gpe.x gpe.segue visit-v1 1"}
		require.Equal(t, open, page.subscribe("/notification/v1", ext(b.token("v1", time.Hour))))
		page.post(fmt.Sprintf(`[{"channel":"/meta/unsubscribe","clientId":%q,"subscription":"/notification/v1"}]`, page.id))
		require.Equal(t, open, page.subscribe("/notification/v1", ext(b.token("v1", time.Hour))))
		require.Equal(t, 1, b.visitors.Pages())
		page.post(fmt.Sprintf(`[{"channel":"/meta/disconnect","clientId":%q}]`, page.id))
		synctest.Wait()
		require.Zero(t, b.visitors.Pages())
	})
}

func TestATokenIsOfOneVisit(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.invite("v1", "a")
		good := b.token("v1", time.Hour)
		page := b.browser("null")
		for name, given := range map[string][2]string{
			"none": {"/notification/v1", "null"}, "of another visit": {"/notification/v2", ext(good)}, "forged": {"/notification/v1", ext(good + "A")},
			"expired": {"/notification/v1", ext(b.token("v1", -time.Second))}, "all": {"/notification/*", ext(good)}, "everything": {"/**", ext(good)},
			"another topic": {"/v2/me/calls", ext(good)}, "of another contact center": {"/notification/v1", strings.Replace(ext(good), indextest.Center, "other", 1)},
			"ext that is none": {"/notification/v1", `{"segue":7}`},
		} {
			require.Equal(t, []string{"403::subscribe_denied"}, page.subscribe(given[0], given[1]), name)
		}
		require.Zero(t, b.visitors.Pages())
		require.Empty(t, b.browser(ext("forged.token")).id, "a handshake with a wrong token")
		b.isOpen.Store(true)
		require.Len(t, page.subscribe("/notification/v1", "null"), 1, "without a token, in the contact center of those that name none")
		b.isOpen.Store(false)
		time.Sleep(16 * time.Second)
		synctest.Wait()
		require.Zero(t, b.visitors.Pages(), "visits are no longer open")
	})
}

func TestAPageEndsWithItsToken(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		page := b.browser(ext(b.token("v1", 20*time.Second)))
		page.subscribe("/notification/v1", "null")
		require.Equal(t, 1, b.visitors.Pages())
		time.Sleep(36 * time.Second)
		synctest.Wait()
		require.Zero(t, b.visitors.Pages())
	})
}

func TestALostNoticeIsMadeUpFor(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		page := b.browser(ext(b.token("v1", time.Hour)))
		page.subscribe("/notification/v1", "null")
		b.publish(b.world.Start("visit-v1", `{"channel":"web"}`))
		b.engaged("v1", "a") // its notice is lost
		b.publish(b.world.Must("visit-v1", "attach_user_data", `{"user_data":{"a":1}}`))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{channelV1 + "gpe.x gpe.segue visit-v1 1"}, page.poll())
		b.stream.Remake()
		b.publish(b.world.Must("visit-v1", "noengage", `{"cancelData":{}}`))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{channelV1 + "gpe.segue visit-v1 1 canceled"}, page.poll())
	})
}

// flow is an answer that is read while it is written.
type flow struct {
	header http.Header
	status int
	mu     sync.Mutex
	text   bytes.Buffer
}

func (f *flow) Header() http.Header { return f.header }
func (f *flow) WriteHeader(s int)   { f.status = s }
func (f *flow) Flush()              {}
func (f *flow) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.Write(p)
}

func (f *flow) written() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.String()
}

// messages returns what has come.
func (f *flow) messages(t *testing.T) (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for lines := bufio.NewScanner(bytes.NewReader(f.text.Bytes())); lines.Scan(); {
		if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
			all = append(all, brief(t, []byte(data)))
		}
	}
	return all
}

// watch opens a stream until end is called.
func (b *bench) watch(target string) (f *flow, end func()) { return b.watchFrom(target, "") }

// watchFrom is watch of a page that has had an event.
func (b *bench) watchFrom(target, lastEvent string) (f *flow, end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	f = &flow{header: http.Header{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://example.com"+target, nil)
		if lastEvent != "" {
			r.Header.Set("Last-Event-ID", lastEvent)
		}
		b.mux.ServeHTTP(f, r)
	}()
	synctest.Wait()
	return f, func() { cancel(); <-done }
}

func TestAPageWithoutCometDGetsAStream(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.invite("v1", "a")
		f, end := b.watch("/server/data/notification/v1?contact_center=" + indextest.Center + "&token=" + b.token("v1", time.Hour))
		require.Equal(t, "text/event-stream", f.header.Get("Content-Type"))
		require.Equal(t, []string{"gpe.x gpe.segue visit-v1 1"}, f.messages(t))
		b.publish(b.engaged("v1", "b"))
		time.Sleep(16 * time.Second)
		synctest.Wait()
		require.Contains(t, f.written(), ": the stream is open")
		b.publish(b.world.Must("visit-v1", "engagement_result", `{"result":"declined"}`))
		require.Equal(t, []string{"gpe.x gpe.segue visit-v1 1", "gpe.x gpe.segue visit-v1 2", "gpe.segue visit-v1 2 canceled"}, f.messages(t))
		end()
		require.Zero(t, b.visitors.Pages())
	})
}

func TestAStreamHasAllThatIsOpen(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		const many = 40
		for n := range many {
			id := fmt.Sprintf("i%d", n)
			b.publish(b.world.Start(id, `{"channel":"web"}`), b.world.Must(id, "engage", `{"ixnProfile":{"visitID":"v1"}}`))
		}
		f, end := b.watch("/server/data/notification/v1?contact_center=" + indextest.Center + "&token=" + b.token("v1", time.Hour))
		defer end()
		require.Len(t, f.messages(t), many)
	})
}

func TestWhoGetsNoStream(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		good := b.token("v1", time.Hour)
		for target, want := range map[string]int{
			"v1": 401, "v1?token=forged.x": 401, "v2?token=" + good: 403, "v1?contact_center=other&token=" + good: 403, "%2A?token=" + good: 400,
			"v1?token=" + good + "&token=x": 400, "v1?token=" + b.token("v1", -time.Hour): 401,
		} {
			w := httptest.NewRecorder()
			b.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/server/data/notification/"+target, nil))
			require.Equal(t, want, w.Code, target)
			require.Contains(t, w.Body.String(), `"status":"FAULT"`)
		}
		for range 20 {
			_, end := b.watch("/server/data/notification/v1?token=" + good)
			defer end()
		}
		w := httptest.NewRecorder()
		b.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/server/data/notification/v1?token="+good, nil))
		require.Equal(t, 429, w.Code)
		require.Equal(t, "10", w.Header().Get("Retry-After"))
	})
}

// A page beyond the bound must learn that its token is right.
func TestAPageTooManyIsToldSo(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		token := ext(b.token("v1", time.Hour))
		var last *browser
		for range 20 {
			last = b.browser(token)
			require.Empty(t, last.subscribe("/notification/v1", "null"))
		}
		beyond := b.browser(token)
		require.Equal(t, []string{"429::too_many_pages"}, beyond.subscribe("/notification/v1", "null"))
		require.Equal(t, []string{"403::subscribe_denied"}, beyond.subscribe("/notification/v2", "null"), "a wrong token")
		last.post(fmt.Sprintf(`[{"channel":"/meta/disconnect","clientId":%q}]`, last.id))
		synctest.Wait()
		require.Empty(t, beyond.subscribe("/notification/v1", "null"))
	})
}

func TestOneAddressDoesNotTakeAllPlaces(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		var last *browser
		for range 1000 {
			last = b.browser("null")
			require.NotEmpty(t, last.id)
		}
		require.Empty(t, b.browser("null").id)
		last.post(fmt.Sprintf(`[{"channel":"/meta/disconnect","clientId":%q}]`, last.id))
		synctest.Wait()
		require.NotEmpty(t, b.browser("null").id)
		time.Sleep(2 * time.Minute) // all of them expire
		synctest.Wait()
		require.NotEmpty(t, b.browser("null").id)
	})
}
