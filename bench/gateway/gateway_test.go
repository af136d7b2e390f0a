package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestRate(t *testing.T) {
	begin := time.Unix(1000, 0)
	at := func(seconds float64) time.Time { return begin.Add(time.Duration(seconds * float64(time.Second))) }
	f := figuresOf([]sent{{at(0), at(1)}, {at(0), at(2)}, {at(1), at(2.5)}}, begin, at(2))
	if f.rates[0] != 1 || len(f.latencies) != 3 {
		t.Errorf("%v commands/s, %d latencies", f.rates[0], len(f.latencies))
	}
}

func TestMedianOfRatios(t *testing.T) {
	if got := median(ratios([]float64{9, 8, 1}, []float64{10, 10, 10})); got != 0.8 {
		t.Error(got)
	}
	if got := median(ratios([]float64{9, 8}, []float64{10, 0})); got != 0.9 {
		t.Error(got)
	}
}

const stream = `retry: 2000

event: inbound.dtmf
id: e-1-0
data: {"interaction":"a","revision":2}

event: change
id: e-1-1
data: {"interaction":"a","revision":2}

event: change
id: e-2-0
data: {"interaction":"a","revision":3}

`

func TestAStreamVoidsTheRun(t *testing.T) {
	asked := answers{At: map[string]map[int64]moments{"a": {2: {}, 3: {}}}, Clients: 1, Copies: 1}
	for _, test := range []struct{ name, text, want string }{
		{"every change came", stream, "ended"}, // as a stream of a test does
		{"a repeat", stream + "id: e-2-0\ndata: {\"interaction\":\"a\",\"revision\":3}\n\n", "repeated"},
		{"a gap", stream + "event: gap\n\n", "gap"},
		{"a resync", stream + "event: resync\n\n", "resync"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := &listeners{arrived: make(chan struct{}, 1)}
			l.readSSE(t.Context(), 0, &http.Response{Body: io.NopCloser(strings.NewReader(test.text))})
			if _, err := l.judge(asked); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, not %q", err, test.want)
			}
		})
	}
}
func testListeners(sharing int) *listeners {
	return newListeners(listening{Clients: 1, Sharing: sharing})
}

func TestEachChangeCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testListeners(0)
		l.note(0, change{"a", 2}, true)
		l.note(0, change{"a", 2}, false)
		l.note(0, change{"a", 3}, true)
		got, err := l.judge(answers{At: map[string]map[int64]moments{"a": {2: {}, 3: {}}}, Clients: 1, Copies: 1})
		if err != nil || got.Missing != 0 || got.Notifications != 2 || got.Messages != 3 || got.Unknown != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestAChangeOfAnotherAgentIsUnknownAndDoesNotReplaceOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testListeners(1)
		l.note(1, change{"a", 2}, true)
		got, err := l.judge(answers{
			At: map[string]map[int64]moments{"a": {2: {}}}, Agent: map[string]int{"a": 0}, Clients: 1, Copies: 1,
		})
		if err != nil || got.Missing != 1 || got.Unknown != 1 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// script answers each message with the next line, and then nothing until the context ends.
type script struct {
	answers []string
	sent    []string
	renewed int
}

func (s *script) send(ctx context.Context, message []byte) ([]byte, error) {
	s.sent = append(s.sent, string(message))
	if len(s.answers) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	if answer == "" {
		return nil, io.ErrUnexpectedEOF
	}
	return []byte(answer), nil
}

func (s *script) renew(context.Context) error {
	s.renewed++
	return nil
}

const (
	callMessage = `{"channel":"/v2/me/calls","data":{"notificationType":%q,"call":{"id":"a"},"revision":%d}}`
	ixnMessage  = `{"channel":"/v2/me/interactions","data":{"notificationType":%q,"interaction":{"id":"a"},"revision":%d}}`
	connected   = `{"channel":"/meta/connect","successful":true,"ext":{"ack":%d}}`
)

func both(kind string, revision int) string {
	return fmt.Sprintf(callMessage, kind, revision) + "," + fmt.Sprintf(ixnMessage, kind, revision)
}

func TestAClientOfCometD(t *testing.T) {
	ack := func(n int) string { return fmt.Sprintf(connected, n) }
	for _, test := range []struct {
		name    string
		answers []string
		// want is a part of the error; empty for none.
		want                string
		missing, reconnects int
	}{
		{name: "all came", answers: []string{"[" + both("StatusChange", 2) + "," + ack(1) + "]", "[" + both("StatusChange", 3) + "," + both("PropertiesUpdated", 3) + "," + ack(2) + "]"}},
		{name: "again after a connection broke", answers: []string{"[" + both("StatusChange", 2) + "," + ack(1) + "]", "", "[" + both("StatusChange", 3) + "," + ack(2) + "]"}, reconnects: 1},
		{name: "one topic has lost one", answers: []string{"[" + both("StatusChange", 2) + "," + ack(1) + "]", "[" + fmt.Sprintf(ixnMessage, "StatusChange", 3) + "," + ack(2) + "]"}, missing: 4},
		{name: "a message comes twice", answers: []string{"[" + both("StatusChange", 2) + "," + ack(1) + "]", "[" + both("StatusChange", 2) + "," + ack(2) + "]"}, want: "after 2"},
		{name: "an older one comes later", answers: []string{"[" + both("StatusChange", 3) + "," + both("PropertiesUpdated", 2) + "," + ack(1) + "]"}, want: "after 3"},
		{name: "the session has ended", answers: []string{`[{"channel":"/meta/connect","successful":false,"error":"402::session_unknown"}]`}, want: "402"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, s := testListeners(1), &script{answers: test.answers}
				d := &desktop{carrier: s, listeners: l, latest: map[string]int64{}}
				ctx, stop := context.WithCancel(t.Context())
				var reading sync.WaitGroup
				reading.Go(func() { d.read(ctx, byPolling) })
				got, err := l.judge(answers{
					At: map[string]map[int64]moments{"a": {2: {}, 3: {}}}, Agent: map[string]int{"a": 0}, Clients: 1, Copies: 2,
				})
				stop()
				reading.Wait()
				if test.want != "" {
					if err == nil || !strings.Contains(err.Error(), test.want) {
						t.Errorf("%v, not %q", err, test.want)
					}
					return
				}
				if err != nil || got.Missing != test.missing || got.Reconnects != test.reconnects || s.renewed != test.reconnects {
					t.Errorf("%+v, %v", got, err)
				}
				if test.missing == 0 && (got.Notifications != 2 || !strings.Contains(s.sent[len(s.sent)-1], `"ack":2`)) {
					t.Errorf("%+v, %v", got, s.sent)
				}
			})
		})
	}
}
