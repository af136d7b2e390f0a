package replicas_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"
)

const (
	// connectFor is how long a desktop lets a connect be held, and answeredWithin how long it waits for an
	// answer before it sends the same again.
	connectFor     = 2 * time.Second
	answeredWithin = 6 * time.Second
	// lostEach is how often a desktop takes an answer for lost: one of so many.
	lostEach = 8
)

// desktop is an agent's client of /api/v2: it reads the agent's interactions once, follows their changes
// over CometD with acknowledgments, and moves to another replica when its own ends. It believes nothing:
// what comes twice, in the wrong order or not at all is a fault.
type desktop struct {
	*world
	agent  string
	number int // of the replica that it uses first
	// staff knows when a list may be late and a change may be lost.
	staff *staff

	mu       sync.Mutex
	known    map[string]map[string]any // the agent's interactions
	last     map[string]*told
	channels any // of the last message about them
	faults   []string
	ended    error // of the last session
	// sessions, messages, again and skipped count what came; again are answers that were sent again.
	sessions, messages, again, skipped int
}

// told is what a session has received about an interaction.
type told struct {
	revision int64
	kinds    []string
}

func (w *world) desktop(agent string, number int, s *staff) *desktop {
	d := &desktop{world: w, agent: agent, number: number, staff: s, known: map[string]map[string]any{}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { d.run(ctx) })
	w.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return d
}

func (d *desktop) run(ctx context.Context) {
	for try := 0; ctx.Err() == nil; try++ {
		err := d.session(ctx, d.replica(d.number+try)) // it ends when the replica does
		d.mu.Lock()
		if d.ended == nil {
			d.ended = err
		}
		d.mu.Unlock()
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

var errUnknownSession = errors.New("the session is unknown")

// session is one session until it is lost.
func (d *desktop) session(ctx context.Context, g *gateway) error {
	reply, err := d.send(ctx, g, map[string]any{"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": []string{"long-polling"},
		"ext": map[string]any{"ack": true}})
	if err != nil {
		return err
	}
	id := reply.ClientID
	d.mu.Lock()
	d.last = map[string]*told{}
	d.mu.Unlock()
	if _, err := d.send(ctx, g, map[string]any{"channel": "/meta/subscribe", "clientId": id,
		"subscription": []string{"/v2/me/interactions", "/v2/me/channels"}}); err != nil {
		return err
	}
	present, err := d.mine(ctx, g)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.known = present
	d.sessions++
	d.mu.Unlock()
	for batch := any(0); ; {
		reply, err := d.send(ctx, g, map[string]any{"channel": "/meta/connect", "clientId": id, "connectionType": "long-polling",
			"advice": map[string]any{"timeout": connectFor.Milliseconds()}, "ext": map[string]any{"ack": batch}})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errUnknownSession):
			return err
		case err != nil:
			select {
			case <-g.ended:
				return err
			case <-time.After(50 * time.Millisecond): // the answer is lost: ask again
				d.mu.Lock()
				d.again++
				d.mu.Unlock()
			}
		case rand.IntN(lostEach) == 0 && len(reply.messages) > 0: // as if it were
			d.mu.Lock()
			d.again++
			d.mu.Unlock()
		default:
			batch = reply.Ext.Ack
			for _, text := range reply.messages {
				d.take(ctx, g, text)
			}
		}
	}
}

// bayeux is a reply, with the messages before it.
type bayeux struct {
	Channel    string          `json:"channel"`
	ClientID   string          `json:"clientId"`
	Successful bool            `json:"successful"`
	Error      string          `json:"error"`
	Data       json.RawMessage `json:"data"`
	Ext        struct {
		Ack any `json:"ack"` // true in the reply to a handshake, else the batch
	} `json:"ext"`
	messages []bayeux
}

func (d *desktop) send(ctx context.Context, g *gateway, message map[string]any) (*bayeux, error) {
	text, err := json.Marshal([]any{message})
	if err != nil {
		return nil, err
	}
	var all []bayeux
	if err := d.ask(ctx, g, http.MethodPost, "/api/v2/notifications", text, &all); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("no reply")
	}
	reply := all[len(all)-1]
	reply.messages = all[:len(all)-1]
	switch {
	case reply.Channel != message["channel"]:
		d.fault("%s is answered with %s", message["channel"], reply.Channel)
	case !reply.Successful && reply.Error == "402::session_unknown":
		return nil, errUnknownSession
	case !reply.Successful:
		return nil, errors.New(reply.Error)
	}
	return &reply, nil
}

// ask sends a request of the agent and reads the answer, which is JSON.
func (d *desktop) ask(ctx context.Context, g *gateway, method, path string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, answeredWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, g.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("ContactCenterId", d.name)
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(d.agent, "any")
	response, err := d.transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, answer)
	}
	return json.Unmarshal(answer, into)
}

// mine reads the agent's interactions from a replica.
func (d *desktop) mine(ctx context.Context, g *gateway) (map[string]map[string]any, error) {
	var list struct {
		Interactions []map[string]any `json:"interactions"`
	}
	if err := d.ask(ctx, g, http.MethodGet, "/api/v2/me/interactions?fields=*", nil, &list); err != nil {
		return nil, err
	}
	found := map[string]map[string]any{}
	for _, one := range list.Interactions {
		found[fmt.Sprint(one["id"])] = bareOf(one)
	}
	return found, nil
}

// bareOf returns a resource without what differs between replicas: the address.
func bareOf(resource map[string]any) map[string]any {
	bare := maps.Clone(resource)
	delete(bare, "uri")
	return bare
}

// take takes one message.
func (d *desktop) take(ctx context.Context, g *gateway, m bayeux) {
	var data struct {
		NotificationType string         `json:"notificationType"`
		Interaction      map[string]any `json:"interaction"`
		Channels         any            `json:"channels"`
		Revision         int64          `json:"revision"`
	}
	if err := json.Unmarshal(m.Data, &data); err != nil {
		d.fault("%s: %v", m.Data, err)
		return
	}
	if data.Channels != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.channels = data.Channels
		return
	}
	id := fmt.Sprint(data.Interaction["id"])
	d.order(id, data.Revision, data.NotificationType)
	isOver := len(data.Interaction["capabilities"].([]any)) == 0
	d.mu.Lock()
	d.messages++
	isSample := d.messages%10 == 0 && !isOver
	d.known[id] = bareOf(data.Interaction)
	if isOver {
		delete(d.known, id)
		d.last[id] = nil // what happens before its next part is not for this agent
	}
	d.mu.Unlock()
	if isSample {
		d.isListed(ctx, g, id, data.Interaction)
	}
}

// order checks that a message follows those before it.
func (d *desktop) order(id string, revision int64, kind string) {
	d.mu.Lock()
	last := d.last[id]
	d.mu.Unlock()
	switch {
	case last == nil:
	case revision < last.revision:
		d.fault("%s: revision %d comes after %d", id, revision, last.revision)
	case revision == last.revision && slices.Contains(last.kinds, kind):
		d.fault("%s: %s of revision %d comes twice", id, kind, revision)
	case revision > last.revision+1 && !d.staff.lossy.Load():
		d.fault("%s: %s of revision %d comes after %d", id, kind, revision, last.revision)
	case revision > last.revision+1:
		d.mu.Lock()
		d.skipped++
		d.mu.Unlock()
	}
	if last == nil || last.revision != revision {
		last = &told{revision: revision}
	}
	last.kinds = append(last.kinds, kind)
	d.mu.Lock()
	d.last[id] = last
	d.mu.Unlock()
}

// isListed requires that the list of each replica is not behind a message that has come.
func (d *desktop) isListed(ctx context.Context, own *gateway, id string, resource map[string]any) {
	for _, g := range d.replicas() {
		isCalm := d.staff.isCalm()
		listed, err := d.mine(ctx, g)
		if err != nil || !isCalm() {
			continue
		}
		told, had := round(resource), round(listed[id])
		if listed[id] != nil && had < told {
			d.fault("%s: a message has round %d, the list after it %d (of the same replica: %t)", id, told, had, g == own)
		}
	}
}

// round returns the number that the agents write into the user data, which rises.
func round(resource map[string]any) int {
	data, _ := resource["userData"].(map[string]any)
	n, _ := data["round"].(float64)
	return int(n)
}

func (d *desktop) fault(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.faults) < 10 {
		d.faults = append(d.faults, d.agent+": "+fmt.Sprintf(format, args...))
	}
}

// differs compares what the desktop knows with the lists of all replicas.
func (d *desktop) differs() string {
	for i, g := range d.replicas() {
		listed, err := d.mine(d.Context(), g)
		d.mu.Lock()
		known := maps.Clone(d.known)
		d.mu.Unlock()
		if err != nil || !reflect.DeepEqual(known, listed) {
			return fmt.Sprintf("%s knows %v, replica %d has %v (%v); ", d.agent, known, i, listed, err)
		}
	}
	return ""
}
