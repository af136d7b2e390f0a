package listen

import (
	"cmp"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"segue/interaction"
)

// Request is a request that arrived.
type Request struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	// URL is the path with the query.
	URL string `json:"url"`
	// Moment is the first name of a moment in the URL or the body, or empty: what a request says is up to its configuration.
	Moment string `json:"moment,omitempty"`
	// ID is the webhook-id, or without it the Idempotency-Key.
	ID string `json:"id,omitempty"`
	// Times is how often a request with this ID has arrived, 1 for the first time. 0: it has no ID.
	Times int `json:"times,omitempty"`
	// Status is the status that it is answered with.
	Status int `json:"status"`
	// Body is at most BodyLimit bytes of it.
	Body string `json:"body"`
}

// remembered is how many ids are counted. With more, the count begins again.
const remembered = 100_000

// log numbers the requests of an ID, and shows one request at a time.
type log struct {
	mu    sync.Mutex
	times map[string]int
	show  func(Request)
}

func newLog(show func(Request)) *log {
	return &log{times: map[string]int{}, show: show}
}

func (l *log) add(request *http.Request, body []byte, status int) {
	r := Request{
		At: time.Now(), Method: request.Method, URL: request.URL.RequestURI(), Status: status, Body: string(body),
		ID: cmp.Or(request.Header.Get("webhook-id"), request.Header.Get("Idempotency-Key")),
	}
	r.Moment = momentIn(r.URL + "\n" + r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.ID != "" {
		if len(l.times) >= remembered {
			clear(l.times)
		}
		l.times[r.ID]++
		r.Times = l.times[r.ID]
	}
	l.show(r)
}

var (
	word    = regexp.MustCompile(`[a-z_]+(\.[a-z_]+)?`)
	moments = func() map[string]bool {
		known := map[string]bool{}
		for _, moment := range append(interaction.AllMoments(), interaction.MomentFault, interaction.MomentDeliveryFailing,
			interaction.MomentDeliveryParked, interaction.MomentBreakerOpen, interaction.MomentReceiverRecovered) {
			known[string(moment)] = true
		}
		return known
	}()
)

// momentIn returns the first name of a moment in a text. The name of a field, such as survey, is none.
func momentIn(text string) string {
	for _, at := range word.FindAllStringIndex(text, -1) {
		found, rest := text[at[0]:at[1]], text[at[1]:]
		if moments[found] && !strings.HasPrefix(rest, `":`) && !strings.HasPrefix(rest, "=") {
			return found
		}
	}
	return ""
}
