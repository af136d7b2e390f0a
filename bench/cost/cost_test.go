package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// send sends a POST of an interaction's first command.
func send(t *testing.T, r *receiver, id, command string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL, strings.NewReader(`{"interaction":"a","command":"`+command+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("webhook-id", id)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAReceiverVoidsTheRun(t *testing.T) {
	for _, test := range []struct {
		name, want string
		send       func(r *receiver)
	}{
		{"every POST came once", "", func(r *receiver) { send(t, r, "1", "offer") }},
		{"a repeat", "came 2 times", func(r *receiver) { send(t, r, "1", "offer"); send(t, r, "1", "offer") }},
		{"a second id", "came 2 times", func(r *receiver) { send(t, r, "1", "offer"); send(t, r, "2", "offer") }},
		{"another body", "two bodies", func(r *receiver) { send(t, r, "1", "offer"); send(t, r, "1", "accept") }},
		{"not expected", "not expected", func(r *receiver) { send(t, r, "1", "offer"); send(t, r, "2", "accept") }},
		{"no id", "no webhook-id", func(r *receiver) { send(t, r, "", "offer") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := openReceiver(0)
			defer r.Close()
			r.expect("a", "offer")
			test.send(r)
			switch err := r.settle(t.Context()); {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, not %q", err, test.want)
			}
		})
	}
}

func TestALostPOSTVoidsTheRun(t *testing.T) {
	r := openReceiver(0)
	defer r.Close()
	r.limit = time.Millisecond
	r.expect("a", "offer")
	if err := r.settle(t.Context()); err == nil || !strings.Contains(err.Error(), "did not arrive") {
		t.Error(err)
	}
}

// An interaction that is partly in the time window counts for that part.
func TestRate(t *testing.T) {
	begin := time.Unix(1000, 0)
	at := func(seconds float64) time.Time { return begin.Add(time.Duration(seconds * float64(time.Second))) }
	var f figures
	f.measureRate([]course{
		{begin: at(0), closed: at(2)},   // half of it
		{begin: at(2), closed: at(3)},   // all of it
		{begin: at(4), closed: at(8)},   // a quarter of it
		{begin: at(0), closed: at(0.5)}, // before the window
		{begin: at(6), closed: at(7)},   // after the window
	}, at(1), at(5))
	if f.closed != 1.75 || f.rate() != 1.75/4 {
		t.Errorf("%v interactions, %v in a second", f.closed, f.rate())
	}
}

func TestTheCPUOfAProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc: ", err)
	}
	self := os.Getpid()
	before := cpuNow(self, self)
	var used cpu
	for used.load < 100*time.Millisecond {
		used = cpuNow(self, self).sub(before)
	}
	if (used.server-used.load).Abs() > 2*tick || (used.workers-used.load).Abs() > 2*tick {
		t.Errorf("two sources for the same process differ: %v", used)
	}
}
