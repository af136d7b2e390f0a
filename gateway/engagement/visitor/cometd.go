package visitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"segue/gateway/auth"
	"segue/gateway/cometd"
	"segue/gateway/engagement/ticket"
	"segue/gateway/limits"
	"segue/gateway/stopping"
)

// Caller is whom a page's requests count for.
type Caller = auth.Caller

// topic begins the channel of a visit.
const topic = "/notification/"

// guest is the session of a page.
type guest struct {
	base   string
	caller *Caller
	// shown is what the handshake had; a subscribe may show something else.
	shown   shown
	end     context.CancelFunc
	release func()

	mu sync.Mutex
	// granted are the visits of the subscriptions that were granted, pages those that are open.
	granted  map[string]admission
	pages    map[string]*page
	isClosed bool
}

// maxVisits bounds the visits of a session. A page has one.
const maxVisits = 100

type admission struct {
	visit visit
	may   func() bool
	// token is that with which the page came, known what it says it has.
	token string
	known []mark
}

// shown is what a page shows in ext.segue.
type shown struct {
	ContactCenter string `json:"contact_center"`
	Token         string `json:"token"`
	// Shown are the invitations that the page has, in a subscribe.
	Shown json.RawMessage `json:"shown"`
}

// shownIn reads ext.segue of a message.
func shownIn(ext json.RawMessage) shown {
	var fields struct {
		Segue shown `json:"segue"`
	}
	if json.Unmarshal(ext, &fields) != nil {
		return shown{} // no object: nothing is shown
	}
	return fields.Segue
}

// or returns what is shown, or else what was shown before.
func (s shown) or(before shown) shown {
	if s.Token == "" {
		s.Token = before.Token
	}
	if s.ContactCenter == "" {
		s.ContactCenter = before.ContactCenter
	}
	return s
}

// CometD returns a Bayeux server for pages. Close it.
func (v *Visitors) CometD(refuse func(w http.ResponseWriter, r *http.Request, status int, detail string)) *cometd.Server {
	return cometd.New(cometd.Options{
		Open: v.openGuest, GrantsWith: v.grants, Subscribed: v.subscribed, Closed: v.closed,
		// take bounds the sessions: one that it has let through must not be refused again.
		MaxSessions: 2 * maxPages, Enter: v.enter, Meet: v.meet, Held: limits.Hold, Stopping: stopping.Done, Refuse: refuse,
		Cookie: v.cookie,
	})
}

// cookie makes the cookie of a browser. Pages are of another site than the gateway.
func (v *Visitors) cookie(r *http.Request, name, value string) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if strings.HasPrefix(v.options.Base(r), "https://") {
		c.Secure, c.SameSite = true, http.SameSiteNoneMode
	}
	return c
}

// openGuest opens a session. A page without a token may show one when it subscribes.
func (v *Visitors) openGuest(h *cometd.Handshake) (*cometd.Peer, error) {
	g := &guest{base: v.options.Base(h.Request), caller: v.options.Caller(h.Request), shown: shownIn(h.Ext),
		granted: map[string]admission{}, pages: map[string]*page{}}
	if g.shown.Token != "" && !v.isKnown(g.shown.Token) {
		return nil, errors.New("the token is not valid")
	}
	release, err := v.take(g.caller)
	if err != nil {
		return nil, &cometd.DeniedError{Code: http.StatusTooManyRequests, Text: "too_many_sessions", RetryAfter: problemOf(err).RetryAfter}
	}
	g.release = release
	var ctx context.Context
	ctx, g.end = context.WithCancel(context.Background())
	return &cometd.Peer{Context: ctx, Value: g}, nil
}

func guestOf(p *cometd.Peer) *guest {
	if p == nil {
		return nil
	}
	g, _ := p.Value.(*guest)
	return g
}

// enter counts a frame of a WebSocket as a request.
func (v *Visitors) enter(p *cometd.Peer) (leave func(), err error) {
	g := guestOf(p)
	if g == nil {
		return func() {}, nil // before the handshake
	}
	return v.counted(p.Context, g.caller)
}

// meet counts a frame of a WebSocket that has had no session.
func (v *Visitors) meet(r *http.Request) (leave func(), err error) {
	return v.counted(r.Context(), v.options.Caller(r))
}

func (v *Visitors) counted(ctx context.Context, caller *Caller) (leave func(), err error) {
	held, refused := v.options.Limits.Enter(ctx, caller)
	if refused != nil {
		return nil, fmt.Errorf("%d::%s", refused.Status, refused.Type) // as Bayeux has it
	}
	return func() { limits.Hold(held) }, nil
}

// errNotAVisit denies a channel that no visit has.
var errNotAVisit = errors.New("the channel is not that of a visit")

// errTooMany denies a page beyond the bounds: it may come later, unlike one whose token is wrong.
var errTooMany = &cometd.DeniedError{Code: http.StatusTooManyRequests, Text: "too_many_pages"}

// grants lets a page subscribe to the visit that its token is of.
func (v *Visitors) grants(s *cometd.Session, subscription string, ext json.RawMessage) error {
	g := guestOf(s.Peer())
	id, isVisit := strings.CutPrefix(subscription, topic)
	if g == nil || !isVisit {
		return errNotAVisit
	}
	given := shownIn(ext).or(g.shown)
	of, may, err := v.admit(given.ContactCenter, given.Token, id)
	if err != nil {
		return err
	}
	granted := admission{visit: of, may: may, token: given.Token, known: marksOf(given.Shown)}
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.pages[id]
	switch {
	case before != nil && before.visit != of:
		return errNotAVisit // the channel of a session has one meaning
	case before != nil && s.Wants(subscription):
		return nil
	case before == nil && (v.hasRoom(of) != nil || len(g.granted)+len(g.pages) >= maxVisits):
		return errTooMany
	}
	g.granted[id] = granted
	return nil
}

// subscribed sends a page what is open, and what comes.
func (v *Visitors) subscribed(s *cometd.Session, subscriptions []string) {
	g := guestOf(s.Peer())
	for _, subscription := range subscriptions {
		id := strings.TrimPrefix(subscription, topic)
		p, known, isOpen := g.page(id, func(message json.RawMessage) { s.Deliver(subscription, message) })
		if isOpen {
			v.again(p, known) // it had unsubscribed
			continue
		}
		p.brings(append(v.found(p.visit, s.Handshake().Browser, p.token), known...))
		if err := v.join(p); err != nil {
			g.end() // others came in between; the page handshakes again
		}
		if g.hasClosed() {
			v.leave(p)
		}
	}
}

// page returns the page of a visit and what it says it has, and reports whether it was open before.
func (g *guest) page(id string, deliver func(json.RawMessage)) (p *page, known []mark, isOpen bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	granted := g.granted[id]
	delete(g.granted, id)
	if p = g.pages[id]; p != nil {
		return p, granted.known, true
	}
	p = &page{visit: granted.visit, base: g.base, token: granted.token, may: granted.may, end: g.end, deliver: deliver}
	g.pages[id] = p
	return p, granted.known, false
}

func (g *guest) hasClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isClosed
}

// closed forgets the pages of a session. One that the page did not end itself may have a successor.
func (v *Visitors) closed(s *cometd.Session, why cometd.End) {
	g := guestOf(s.Peer())
	g.mu.Lock()
	pages := g.pages
	g.pages, g.isClosed = map[string]*page{}, true
	g.mu.Unlock()
	for _, p := range pages {
		if why != cometd.EndDisconnect {
			v.lose(p, s.Handshake().Browser, p.token, s.LacksSince())
		}
		v.leave(p)
	}
	g.end()
	g.release()
}

// isKnown reports whether a token is of any visit.
func (v *Visitors) isKnown(token string) bool {
	_, err := v.options.Tickets.Read(ticket.Visit, token, time.Now())
	return err == nil
}
