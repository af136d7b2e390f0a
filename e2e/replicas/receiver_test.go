package replicas_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// receiver keeps which requests it has got.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got map[string]map[string]int // id/digits: webhook-id: how often
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{got: map[string]map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		var body struct{ ID, Digits string }
		if json.NewDecoder(request.Body).Decode(&body) != nil {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		key := body.ID + "/" + body.Digits
		if r.got[key] == nil {
			r.got[key] = map[string]int{}
		}
		r.got[key][request.Header.Get("webhook-id")]++
	}))
	t.Cleanup(r.Close)
	return r
}

// counts returns how many commands the receiver was notified of, how many of them under several ids, which
// means that they were applied several times, and how many requests came again.
func (r *receiver) counts() (told, doubled, repeated int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ids := range r.got {
		told++
		if len(ids) > 1 {
			doubled++
		}
		for _, times := range ids {
			repeated += times - 1
		}
	}
	return told, doubled, repeated
}
