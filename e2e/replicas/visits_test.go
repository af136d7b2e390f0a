package replicas_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// visitors are strategies and pages of visitors. Each request is sent twice at once, to two gateways, and again
// until it is answered; pages connect again to any gateway.
type visitors struct {
	*world
	sent, answered atomic.Int64
	over           atomic.Bool // the test has failed
	mu             sync.Mutex
	// seen are the invitations that each visitor has seen; told the ids of the callbacks of each visit.
	seen, told map[string]map[string]bool
}

// TestKilledProcessesInviteOnce kills gateways and workers from the invitation to the answer. No visitor is lost,
// and none is invited twice.
func TestKilledProcessesInviteOnce(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	v := &visitors{world: w, seen: map[string]map[string]bool{}, told: map[string]map[string]bool{}}
	backend := httptest.NewServer(http.HandlerFunc(v.backend))
	t.Cleanup(backend.Close)
	w.more = fmt.Sprintf("engagement: {backend: %q, queue: web}\n"+
		"gateway: {session_keys: [env:"+sessionKey+"], engagement: {open_visits: true}}\n", backend.URL)
	workers := []*process{w.startWorker(), w.startWorker()}
	w.startGateway()
	w.startGateway()
	count, kills := reduced(20, 100), reduced(4, 20)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var running sync.WaitGroup
	t.Cleanup(func() { v.over.Store(true); running.Wait() })
	next := atomic.Int64{}
	for range 4 {
		running.Go(func() {
			for n := next.Add(1); n <= int64(count) && !v.over.Load(); n = next.Add(1) {
				v.play(fmt.Sprintf("v-%d", n))
			}
		})
	}
	for kill := range kills {
		before := v.answered.Load()
		w.eventually(patience, "requests are answered", func() bool {
			return v.answered.Load() >= before+4 || v.answered.Load() == int64(4*count)
		})
		time.Sleep(time.Duration(random.Int64N(int64(20 * time.Millisecond)))) // anywhere within a request
		if kill%2 == 0 {
			killed := w.replica(random.IntN(2))
			killed.kill()
			w.drop(killed)
			w.startGateway()
			continue
		}
		victim := random.IntN(2)
		workers[victim].kill()
		workers[victim] = w.startWorker()
	}
	running.Wait()
	if t.Failed() {
		return
	}
	for n := range count {
		v.requireInvitedOnce(fmt.Sprintf("v-%d", n+1))
	}
	t.Logf("%d requests sent, %d answered", v.sent.Load(), v.answered.Load())
}

func (v *visitors) backend(_ http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	var sent struct {
		Profile struct{ VisitID string } `json:"ixnProfile"`
	}
	if err != nil || json.Unmarshal(text, &sent) != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	note(v.told, sent.Profile.VisitID, r.Header.Get("webhook-id"))
}

func note(in map[string]map[string]bool, key, value string) {
	if in[key] == nil {
		in[key] = map[string]bool{}
	}
	in[key][value] = true
}

// play invites a visitor, whose page accepts.
func (v *visitors) play(visit string) {
	link := make(chan string, 1)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var page sync.WaitGroup
	defer page.Wait()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	page.Go(func() {
		for watching.Err() == nil {
			v.watch(watching, visit, link)
		}
	})
	v.twice(ctx, http.MethodPost, "/server/data/gateway/engage", fmt.Sprintf(`{"ixnProfile":{"visitID":%q,"engagement_type":"chat"}}`, visit))
	select {
	case path := <-link:
		v.twice(ctx, http.MethodGet, path, "")
	case <-ctx.Done():
		v.Errorf("%s: the visitor was lost", visit)
	}
}

// watch shows what a page gets until its stream ends, and gives the link of the first invitation.
func (v *visitors) watch(ctx context.Context, visit string, link chan<- string) {
	path := "/server/data/notification/" + visit + "?contact_center=" + url.QueryEscape(v.name)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.replica(rand.IntN(2)).URL+path, nil)
	if err != nil {
		v.Error(err)
		return
	}
	response, err := v.transport.RoundTrip(r)
	if err != nil {
		pause(ctx)
		return
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		var all []struct {
			Data struct {
				IxnID       string
				Attempt     int
				Disposition map[string]string
			}
		}
		data, isData := strings.CutPrefix(lines.Text(), "data: ")
		if !isData || json.Unmarshal([]byte(data), &all) != nil || all[len(all)-1].Data.Disposition == nil {
			continue
		}
		own := all[len(all)-1].Data
		v.mu.Lock()
		note(v.seen, visit, fmt.Sprint(own.IxnID, " ", own.Attempt))
		v.mu.Unlock()
		accepted, err := url.Parse(own.Disposition["accepted"])
		if err != nil {
			v.Error(err)
			return
		}
		select {
		case link <- accepted.RequestURI():
		default: // the page had it before
		}
	}
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(pollEvery):
	}
}

// twice sends a request to two gateways at once, each until it is answered with 200: a killed gateway answers nothing,
// and one without a worker 503.
func (v *visitors) twice(ctx context.Context, method, path, body string) {
	var both sync.WaitGroup
	for i := range 2 {
		both.Go(func() {
			for !v.over.Load() {
				v.sent.Add(1)
				got, err := v.request(ctx, v.replica(i), "", method, path, "", body)
				switch {
				case err == nil && got.status == http.StatusOK:
					v.answered.Add(1)
					return
				case ctx.Err() != nil:
					v.Errorf("%s %s: no answer in time: %d %s %v", method, path, got.status, got.body, err)
					return
				case err == nil && got.status < http.StatusTooManyRequests:
					v.Errorf("%s %s: %d %s", method, path, got.status, got.body)
					return
				}
				pause(ctx)
			}
		})
	}
	both.Wait()
}

func (v *visitors) requireInvitedOnce(visit string) {
	v.Helper()
	state, err := v.client.State(v.Context(), v.named("visit-"+visit))
	require.NoError(v, err)
	require.Equal(v, interaction.StateQueued, state.State, visit)
	require.Equal(v, 1, state.Engagement.Attempts, visit)
	require.Equal(v, "accepted", state.Engagement.Result)
	require.Equal(v, "web", state.Queue)
	v.eventually(time.Minute, "the backend is notified", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.told[visit]) > 0
	})
	v.mu.Lock()
	defer v.mu.Unlock()
	require.Equal(v, map[string]bool{"visit-" + visit + " 1": true}, v.seen[visit], "one invitation")
	require.Len(v, v.told[visit], 1, "%s: one callback, which may have been sent again", visit)
}
