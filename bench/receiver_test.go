package bench_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"segue/bench"
)

// send sends a POST of an interaction's first command.
func send(t *testing.T, r *bench.Receiver, id, command string) {
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
		send       func(r *bench.Receiver)
	}{
		{"every POST came once", "", func(r *bench.Receiver) { send(t, r, "1", "offer") }},
		{"a repeat", "came 2 times", func(r *bench.Receiver) { send(t, r, "1", "offer"); send(t, r, "1", "offer") }},
		{"a second id", "came 2 times", func(r *bench.Receiver) { send(t, r, "1", "offer"); send(t, r, "2", "offer") }},
		{"another body", "two bodies", func(r *bench.Receiver) { send(t, r, "1", "offer"); send(t, r, "1", "accept") }},
		{"not expected", "not expected", func(r *bench.Receiver) { send(t, r, "1", "offer"); send(t, r, "2", "accept") }},
		{"no id", "no webhook-id", func(r *bench.Receiver) { send(t, r, "", "offer") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := bench.OpenReceiver(0)
			defer r.Close()
			r.Expect("a", "offer")
			test.send(r)
			switch err := r.Settle(t.Context()); {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, not %q", err, test.want)
			}
		})
	}
}

func TestALostPOSTVoidsTheRun(t *testing.T) {
	r := bench.OpenReceiver(0)
	defer r.Close()
	r.Limit = time.Millisecond
	r.Expect("a", "offer")
	if err := r.Settle(t.Context()); err == nil || !strings.Contains(err.Error(), "did not arrive") {
		t.Error(err)
	}
}
