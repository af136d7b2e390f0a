package desktop

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxUnconfirmed bounds the requests of a session whose answers may not have reached the client.
	maxUnconfirmed = 1000
	// repeatWithin is how long a session takes requests for repeats of an earlier session's.
	repeatWithin = time.Minute
)

// sent is a request of which the client may not know the answer.
type sent struct {
	// what identifies the request without its id, and eventID what it does.
	what    [sha256.Size]byte
	eventID string
	// interaction is what it is about; empty for a dial.
	interaction string
	// answer is the number of its answer on the WebSocket.
	answer int
	// isRepeated is set once a later session has sent the request again.
	isRepeated bool
}

// repeats finds the requests that a client sends again because it has lost its WebSocket before their answers. A
// request id is unique within a session: clients that number their requests begin at 1 again. So a request is a
// repeat of one of the session before only if it is the same in all but the session, and if nothing shows that
// the answer to that one has reached the client. A client sends again what it has no answer to before it goes on: what
// comes after another request to the interaction is another one, such as a hold after a retrieve.
type repeats struct {
	mu sync.Mutex
	// open are the requests of this session, by id, and order their ids, oldest first.
	open  map[string]*sent
	order []string
	// earlier are those of the sessions before, until the end of a bound.
	earlier map[string]*sent
	until   time.Time
	// isOver is set once another session has followed.
	isOver bool
}

// eventID returns what identifies the effect of a request, and notes the request. It fails once another session has
// followed: that one would not know of it.
func (r *repeats) eventID(session, id, interaction string, what [sha256.Size]byte, answer int) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isOver {
		return "", noSession()
	}
	if again := r.open[id]; again != nil { // in this session the id alone says so
		again.answer = answer
		return again.eventID, nil
	}
	one := &sent{what: what, eventID: "his-" + session + "-" + id, interaction: interaction, answer: answer}
	switch before := r.earlier[id]; {
	case before != nil && (before.isRepeated || before.what == what && time.Now().Before(r.until)):
		before.isRepeated = true // what has this id later is a repeat, too
		one.what, one.eventID = before.what, before.eventID
	default:
		delete(r.earlier, id)
		r.forget(interaction)
	}
	if len(r.order) >= maxUnconfirmed {
		delete(r.open, r.order[0])
		r.order = r.order[1:]
	}
	r.order = append(r.order, id)
	if r.open == nil {
		r.open = map[string]*sent{}
	}
	r.open[id] = one
	return one.eventID, nil
}

// goesOn notes a request that is no repeat and has no id of a session.
func (r *repeats) goesOn(interaction string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(interaction)
}

// forget forgets the earlier requests to an interaction that were not sent again.
func (r *repeats) forget(interaction string) {
	maps.DeleteFunc(r.earlier, func(_ string, one *sent) bool { return one.interaction == interaction && !one.isRepeated })
}

// isOpen reports whether the client may not know an answer up to a number.
func (r *repeats) isOpen(answer int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.order, func(id string) bool { return r.open[id].answer <= answer })
}

// reached notes that the client has the answers up to a number.
func (r *repeats) reached(answer int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.order[:0]
	for _, id := range r.order {
		if r.open[id].answer > answer {
			left = append(left, id)
		} else {
			delete(r.open, id)
		}
	}
	r.order = left
}

// next are the repeats of the session that follows.
func (r *repeats) next() *repeats {
	following := &repeats{earlier: map[string]*sent{}, until: time.Now().Add(repeatWithin)}
	if r == nil {
		return following
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isOver = true
	if time.Now().Before(r.until) {
		for id, one := range r.earlier {
			if !one.isRepeated {
				following.earlier[id] = one
			}
		}
	}
	for id, one := range r.open {
		following.earlier[id] = &sent{what: one.what, eventID: one.eventID, interaction: one.interaction}
	}
	return following
}

// isUnique matches the ids of requests that are unique by themselves: UUIDs.
var isUnique = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`).MatchString

// eventID identifies what a request does: the same request of a client, sent again, does nothing. With a UUID it is
// the same in each session of the agent, on each replica.
func (q *request) eventID() (string, error) {
	id, err := q.requestID()
	switch {
	case err != nil:
		return "", err
	case id == "":
		q.session.repeats.goesOn(q.found.Interaction)
		return "his-" + q.session.id + "-" + rand.Text(), nil
	case isUnique(id):
		// It may be a repeat; but a client that sends UUIDs has no other repeats.
		q.session.repeats.goesOn(q.found.Interaction)
		return "his-" + short32(sha256.Sum256([]byte(q.session.caller.User))) + "-" + strings.ToLower(id), nil
	}
	return q.session.repeats.eventID(q.session.id, id, q.found.Interaction, q.what(), q.socket.nextAnswer())
}

// what identifies a request without its id and its session.
func (q *request) what() [sha256.Size]byte {
	parts := []string{shortName(q.command), q.found.Interaction, q.found.Conversation, ""}
	if q.found.Interaction == "" {
		parts[3] = q.found.ChannelID
	}
	h := sha256.New()
	encoder := json.NewEncoder(h)
	_ = encoder.Encode(parts) // a hash takes all
	var data any
	decoder := json.NewDecoder(bytes.NewReader(q.data.Encode()))
	decoder.UseNumber()
	if decoder.Decode(&data) == nil { // it is an object; the order of its fields does not matter
		_ = encoder.Encode(data)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// short32 writes a part of a hash that is long enough.
func short32(sum [sha256.Size]byte) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}
