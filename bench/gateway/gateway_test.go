package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
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
	asked := answers{At: map[string]map[int64]int64{"a": {2: 1, 3: 1}}, Clients: 1}
	for _, test := range []struct{ name, text, want string }{
		{"every change came", stream, "ended"}, // as a stream of a test does
		{"a repeat", stream + "id: e-2-0\ndata: {\"interaction\":\"a\",\"revision\":3}\n\n", "repeated"},
		{"a gap", stream + "event: gap\n\n", "gap"},
		{"a resync", stream + "event: resync\n\n", "resync"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := &listeners{arrived: make(chan struct{}, 1)}
			l.read(t.Context(), &http.Response{Body: io.NopCloser(strings.NewReader(test.text))})
			if _, err := l.judge(asked); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, not %q", err, test.want)
			}
		})
	}
}

func TestEachChangeCountsOnce(t *testing.T) {
	l := &listeners{arrived: make(chan struct{}, 1)}
	before := l.note([]byte(`{"interaction":"a","revision":2}`), change{})
	before = l.note([]byte(`{"interaction":"a","revision":2}`), before)
	l.note([]byte(`{"interaction":"a","revision":3}`), before)
	got, err := l.judge(answers{At: map[string]map[int64]int64{"a": {2: 1, 3: 1}}, Clients: 1})
	if err != nil || got.Missing != 0 || got.Events != 3 || got.Unknown != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
