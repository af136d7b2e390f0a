package cometd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"segue/gateway/cometd"
)

// brief shows messages as "data data ... ack", and replies that are no connect by their channel.
func brief(messages []object) string {
	var parts []string
	for _, m := range messages {
		switch ext, _ := m["ext"].(object); {
		case m["data"] != nil:
			parts = append(parts, fmt.Sprint(m["data"]))
		case m["successful"] != true:
			parts = append(parts, fmt.Sprint(m["error"]))
		case m["channel"] == "/meta/connect" && ext != nil:
			parts = append(parts, fmt.Sprintf("ack=%v", ext["ack"]))
		default:
			parts = append(parts, strings.TrimPrefix(fmt.Sprint(m["channel"]), "/meta/"))
		}
	}
	return strings.Join(parts, " ")
}

func deliver(s *cometd.Session, numbers ...int) {
	for _, n := range numbers {
		s.Deliver("/a", json.RawMessage(fmt.Sprint(n)))
	}
}

func TestMessagesStayUntilTheyAreAcknowledged(t *testing.T) {
	w := newWorld(t)
	id := w.open(`{"ack":true}`, "/a") // batch 1
	s := w.session()
	connect := func(ack any) string {
		t.Helper()
		return brief(w.post(connectText(id, fmt.Sprintf(`,"advice":{"timeout":0},"ext":{"ack":%v}`, ack))))
	}
	steps := []struct {
		deliver []int
		ack     any
		want    string
	}{
		{[]int{10, 11}, 1, "10 11 ack=2"},
		{nil, 1, "10 11 ack=3"},
		{[]int{12}, 1, "10 11 12 ack=4"},
		{nil, 3, "12 ack=5"},
		{nil, 2, "12 ack=6"},
		{nil, 0, "12 ack=7"},
		{nil, -5, "12 ack=8"},
		{nil, `"9"`, "12 ack=9"},
		{nil, 1e3, "ack=10"},
		{[]int{13}, 1000, "13 ack=11"},
		{nil, 11, "ack=12"},
	}
	for i, step := range steps {
		deliver(s, step.deliver...)
		if got := connect(step.ack); got != step.want {
			t.Fatalf("step %d: got %q, want %q", i, got, step.want)
		}
	}
}

func TestAnOlderAcknowledgmentIsAnsweredAtOnceWithTheSameBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.open(`{"ack":{"enabled":true}}`, "/a")
		w.session().Deliver("/a", json.RawMessage(`{"x" : 1.50,"y":"<é>"}`))
		first := w.do(t.Context(), connectText(id, `,"ext":{"ack":1}`))
		second := w.do(t.Context(), connectText(id, `,"ext":{"ack":1}`))
		want, _, _ := strings.Cut(first.body, `,{"id"`)
		if got, _, _ := strings.Cut(second.body, `,{"id"`); got != want || !strings.Contains(want, `{"x" : 1.50,"y":"<é>"}`) {
			t.Errorf("got %s, want %s", second.body, want)
		}
		began := time.Now()
		if got := brief(w.post(connectText(id, `,"ext":{"ack":3}`))); got != "ack=4" || time.Since(began) != 30*time.Second {
			t.Errorf("all is acknowledged: %s after %s", got, time.Since(began))
		}
	})
}

// A client that acknowledges has what it acknowledged; another one has what came before it connected again.
func TestASessionKnowsSinceWhenItsClientMayLackMessages(t *testing.T) {
	for name, ext := range map[string]string{"with acknowledgment": `{"ack":true}`, "without": ""} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				id := w.open(ext, "/a") // batch 1
				s := w.session()
				began := time.Now()
				lacks := func(after time.Duration, when string) {
					t.Helper()
					synctest.Wait()
					if got := s.LacksSince().Sub(began); got != after {
						t.Fatalf("%s: since %v, not %v", when, got, after)
					}
				}
				pass := func() { time.Sleep(time.Second) }
				connect := func(ack int) { w.post(connectText(id, fmt.Sprintf(`,"advice":{"timeout":0},"ext":{"ack":%d}`, ack))) }
				lacks(0, "nothing was delivered")
				pass()
				lacks(time.Second, "nothing was delivered for a second")
				deliver(s, 10)
				pass()
				deliver(s, 11)
				lacks(time.Second, "two wait")
				connect(1) // batch 2
				pass()
				lacks(time.Second, "two are written")
				deliver(s, 12)
				connect(2) // batch 3
				pass()
				lacks(3*time.Second, "the third is written")
				connect(3)
				lacks(4*time.Second, "the client has all")
				deliver(s, 13)
				pass()
				connect(3)
				time.Sleep(2 * time.Minute)
				lacks(4*time.Second, "the session has expired")
			})
		})
	}
}

func TestWithAcknowledgmentOnlyConnectsCarryMessages(t *testing.T) {
	w := newWorld(t)
	id := w.open(`{"ack":true}`, "/a")
	deliver(w.session(), 1)
	if got := brief(w.post(subscribeText(id, `"/b"`))); got != "subscribe" {
		t.Errorf("the reply to a subscribe: %s", got)
	}
	if got := brief(w.post(connectText(id, `,"ext":{"ack":1}`))); got != "1 ack=2" {
		t.Errorf("the reply to a connect: %s", got)
	}
}

func TestWithoutAcknowledgmentAnyReplyCarriesMessagesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.open("", "/a")
		deliver(w.session(), 1, 2)
		if got := brief(w.post(subscribeText(id, `"/b"`))); got != "subscribe 1 2" {
			t.Errorf("the reply to a subscribe: %s", got)
		}
		if got := brief(w.post(connectText(id, ""))); got != "connect" {
			t.Errorf("the reply to a connect: %s", got)
		}
	})
}

func TestWhatCouldNotBeWrittenWaitsForTheNextReply(t *testing.T) {
	w := newWorld(t)
	id := w.open("", "/a")
	deliver(w.session(), 1, 2)
	r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(connectText(id, "")))
	if err != nil {
		t.Fatal(err)
	}
	w.server.ServeHTTP(&broken{header: http.Header{}}, r)
	deliver(w.session(), 3)
	if got := brief(w.post(connectText(id, ""))); got != "1 2 3 connect" {
		t.Errorf("got %s", got)
	}
}

func TestWhatCouldNotBeWrittenIsNotSentAfterUnsubscribe(t *testing.T) {
	w := newWorld(t)
	id := w.open("", "/a")
	deliver(w.session(), 1)
	r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(connectText(id, "")))
	if err != nil {
		t.Fatal(err)
	}
	unsubscribe := strings.Replace(subscribeText(id, `"/a"`), "subscribe", "unsubscribe", 1)
	w.server.ServeHTTP(&broken{header: http.Header{}, before: func() { w.post(unsubscribe) }}, r)
	if got := brief(w.post(connectText(id, `,"advice":{"timeout":0}`))); got != "connect" {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsNotAcknowledgedIsNotSentAfterUnsubscribe(t *testing.T) {
	w := newWorld(t)
	id := w.open(`{"ack":true}`, "/a", "/b")
	deliver(w.session(), 1)
	w.session().Deliver("/b", json.RawMessage(`2`))
	connect := connectText(id, `,"ext":{"ack":1},"advice":{"timeout":0}`)
	if got := brief(w.post(connect)); got != "1 2 ack=2" {
		t.Errorf("got %s", got)
	}
	w.post(strings.Replace(subscribeText(id, `"/a"`), "subscribe", "unsubscribe", 1))
	if got := brief(w.post(connect)); got != "2 ack=3" {
		t.Errorf("got %s", got)
	}
	if got := brief(w.post(connectText(id, `,"ext":{"ack":2},"advice":{"timeout":0}`))); got != "ack=4" {
		t.Errorf("got %s", got)
	}
}

// broken is the answer to a client that has gone.
type broken struct {
	header http.Header
	before func() // happens before the write fails
}

func (b *broken) Header() http.Header { return b.header }
func (b *broken) WriteHeader(int)     {}
func (b *broken) Write([]byte) (int, error) {
	if b.before != nil {
		b.before()
	}
	return 0, context.Canceled
}

func TestWhatASubscribeCausesComesWithOrAfterItsReply(t *testing.T) {
	for ext, want := range map[string][2]string{
		`{}`:           {"subscribe 1", "timeout"},
		`{"ack":true}`: {"subscribe", "1 ack=2"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(_ *world, o *cometd.Options) {
				o.Subscribed = func(s *cometd.Session, subscriptions []string) {
					if len(subscriptions) == 1 && subscriptions[0] == "/a" {
						deliver(s, 1)
						time.Sleep(time.Second) // the held connect must not answer meanwhile
					}
				}
			})
			id := w.open(ext, "/b")
			held := w.start(t.Context(), connectText(id, ""))
			synctest.Wait()
			subscribed := w.start(t.Context(), subscribeText(id, `["/a/","/a"]`))
			a := <-subscribed
			if got := brief(a.messages); got != want[0] {
				t.Errorf("%s: the reply to the subscribe: %s", ext, got)
			}
			if want[1] == "timeout" {
				return
			}
			if a = <-held; brief(a.messages) != want[1] {
				t.Errorf("%s: the held connect: %s", ext, a.body)
			}
		})
	}
}

func TestAConnectThatComesDuringASubscribeIsAnsweredAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(_ *world, o *cometd.Options) {
			o.Subscribed = func(s *cometd.Session, _ []string) {
				deliver(s, 1)
				time.Sleep(time.Second)
			}
		})
		id := w.open(`{"ack":true}`)
		began := time.Now()
		w.start(t.Context(), subscribeText(id, `"/a"`))
		synctest.Wait()
		if got := brief(w.post(connectText(id, `,"ext":{"ack":1}`))); got != "1 ack=2" || time.Since(began) != time.Second {
			t.Errorf("got %s after %s", got, time.Since(began))
		}
	})
}

// A client that lost a reply asks for it again while it subscribes. It does not wait for the next message.
func TestWhatIsSentAgainDoesNotWaitForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(_ *world, o *cometd.Options) {
			o.Subscribed = func(s *cometd.Session, subscriptions []string) {
				if subscriptions[0] == "/b" {
					time.Sleep(time.Second)
				}
			}
		})
		id := w.open(`{"ack":true}`, "/a")
		deliver(w.session(), 1)
		if got := brief(w.post(connectText(id, `,"ext":{"ack":1}`))); got != "1 ack=2" {
			t.Errorf("got %s", got)
		}
		began := time.Now()
		w.start(t.Context(), subscribeText(id, `"/b"`))
		synctest.Wait()
		if got := brief(w.post(connectText(id, `,"ext":{"ack":1}`))); got != "1 ack=3" || time.Since(began) != time.Second {
			t.Errorf("got %s after %s", got, time.Since(began))
		}
	})
}

func TestAReplyIsBoundedAndTheRestFollows(t *testing.T) {
	w := newWorld(t)
	id := w.open("", "/a")
	text := json.RawMessage(`"` + strings.Repeat("x", 100<<10) + `"`)
	for range 5 {
		w.session().Deliver("/a", text)
	}
	var counts []int
	for range 3 {
		counts = append(counts, len(w.post(connectText(id, `,"advice":{"timeout":0}`)))-1)
	}
	if fmt.Sprint(counts) != "[2 2 1]" {
		t.Errorf("messages a reply: %v", counts)
	}
}
