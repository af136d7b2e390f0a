package visitor

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"segue/bus"
	"segue/client"
	"segue/gateway/engagement"
	"segue/gateway/engagement/ticket"
	"segue/gateway/index"
	"segue/gateway/limits"
	"segue/gateway/problem"
)

// Index is what the package needs of index.Index.
type Index interface {
	Get(n client.Name) (*index.Entry, bool)
	List(contactCenter string, match func(*index.Entry) bool) []*index.Entry
	ContactCenters() []string
	Health() index.Health
	End() bus.Position
	ReadFrom(ctx context.Context, after bus.Position) (*index.Reader, error)
}

// Options configure visitors.
type Options struct {
	Index   Index
	Tickets *ticket.Tickets
	// Open reports whether pages need no token.
	Open func() bool
	// Center returns the contact center of a page that names none; empty if it must name one.
	Center func() string
	// Base returns the start of links for a page.
	Base func(*http.Request) string
	// Limits counts the frames of WebSockets; nil for none.
	Limits *limits.Limits
	// Caller returns whom a page's requests count for.
	Caller func(*http.Request) *Caller
	// Observe is called with the kind of each message to a page; nil for none.
	Observe func(kind string)
	Log     *slog.Logger
}

// Bounds of what is open. They are apart from those of agents, whose places visitors must not take.
const (
	maxPages        = 10_000
	maxPagesOfVisit = 20
	// maxOfCaller is how many sessions and streams one address has. A site of an office may have many visitors.
	maxOfCaller = 1_000
)

// visit is one visit of a contact center.
type visit struct{ contactCenter, id string }

// page is what is open at a visitor: a session of CometD with a subscription, or a stream.
type page struct {
	visit visit
	base  string
	// had are the invitations that the page knows, the latest last. A page that comes back has some before it joins.
	had []had
	// token is that with which a page by CometD came.
	token string
	// deliver must not wait.
	deliver func(message json.RawMessage)
	// may reports whether the page may still see invitations; end ends it.
	may func() bool
	end func()
}

// Visitors knows the open invitations, and the pages that see them. It is safe for concurrent use.
type Visitors struct {
	options Options
	log     *slog.Logger

	mu      sync.Mutex
	records map[client.Name]*engagement.Invitation
	open    map[visit]map[client.Name]*engagement.Invitation
	pages   map[visit]map[*page]struct{}
	count   int
	// places are the sessions and streams of each caller, taken those of all.
	places map[string]int
	taken  int
	// lost are the pages of each visit that may come back, lostCount those of all.
	lost      map[visit][]lostPage
	lostCount int
}

// New returns visitors, who get nothing until Run.
func New(o Options) *Visitors {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(string) {}
	}
	if o.Limits == nil {
		o.Limits = limits.New(limits.Options{})
	}
	return &Visitors{
		options: o, log: o.Log, records: map[client.Name]*engagement.Invitation{},
		open: map[visit]map[client.Name]*engagement.Invitation{}, pages: map[visit]map[*page]struct{}{},
		places: map[string]int{}, lost: map[visit][]lostPage{},
	}
}

// admit returns the visit that a page may see, or a *problem.Problem. may reports whether it still may.
func (v *Visitors) admit(contactCenter, token, id string) (of visit, may func() bool, err error) {
	if !engagement.IsVisit(id) {
		return visit{}, nil, problem.New(problem.Malformed, "the path does not end with the id of a visit; "+engagement.VisitRule)
	}
	if token == "" {
		return v.admitAnybody(contactCenter, id)
	}
	claims, err := v.options.Tickets.Read(ticket.Visit, token, time.Now())
	if err != nil {
		return visit{}, nil, problem.New(problem.Unauthenticated, err.Error())
	}
	if claims.Visit != id || contactCenter != "" && contactCenter != claims.ContactCenter {
		return visit{}, nil, problem.New(problem.NotPermitted, "the token is of another visit")
	}
	return visit{claims.ContactCenter, id}, func() bool {
		_, err := v.options.Tickets.Read(ticket.Visit, token, time.Now())
		return err == nil
	}, nil
}

func (v *Visitors) admitAnybody(contactCenter, id string) (visit, func() bool, error) {
	if contactCenter == "" {
		contactCenter = v.options.Center()
	}
	switch {
	case !v.options.Open():
		return visit{}, nil, problem.New(problem.Unauthenticated, "a token is needed")
	case contactCenter == "":
		return visit{}, nil, problem.New(problem.ContactCenterRequired, "name it as contact_center")
	case (client.Name{ContactCenter: contactCenter, ID: "x"}).Check() != nil:
		return visit{}, nil, problem.New(problem.Malformed, "the contact center is not an id")
	}
	return visit{contactCenter, id}, v.options.Open, nil
}

var errFull = problem.New(problem.RateLimited, "too many pages are open")

// hasRoom returns an error if a visit has, or all have, as many pages as they may.
func (v *Visitors) hasRoom(of visit) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.hasRoomLocked(of)
}

func (v *Visitors) hasRoomLocked(of visit) error {
	if v.count >= maxPages || len(v.pages[of]) >= maxPagesOfVisit {
		full := *errFull
		full.RetryAfter = 10 * time.Second
		return &full
	}
	return nil
}

// take counts a session or a stream of a caller until release is called.
func (v *Visitors) take(of *Caller) (release func(), err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.taken >= maxPages || v.places[of.Name] >= maxOfCaller {
		full := *errFull
		full.RetryAfter = 10 * time.Second
		return nil, &full
	}
	v.places[of.Name]++
	v.taken++
	return sync.OnceFunc(func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.taken--
		if v.places[of.Name]--; v.places[of.Name] == 0 {
			delete(v.places, of.Name)
		}
	}), nil
}

// join adds a page, and sends it what it has missed and what is open. Later it gets what changes.
func (v *Visitors) join(p *page) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.hasRoomLocked(p.visit); err != nil {
		return err
	}
	if v.pages[p.visit] == nil {
		v.pages[p.visit] = map[*page]struct{}{}
	}
	v.pages[p.visit][p] = struct{}{}
	v.count++
	v.sendMissed(p)
	v.sendOpen(p)
	return nil
}

// again sends a page that had unsubscribed what it has missed, and what is open again. known are the invitations
// that it says it has.
func (v *Visitors) again(p *page, known []mark) {
	v.mu.Lock()
	defer v.mu.Unlock()
	p.brings(known)
	for i := range p.had {
		p.had[i].over = time.Time{} // what was sent meanwhile did not reach it
	}
	v.sendMissed(p)
	v.sendOpen(p)
}

func (v *Visitors) sendOpen(p *page) {
	for _, i := range v.open[p.visit] {
		v.invite(p, i)
	}
}

func (v *Visitors) leave(p *page) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, isIn := v.pages[p.visit][p]; !isIn {
		return
	}
	delete(v.pages[p.visit], p)
	v.count--
	if len(v.pages[p.visit]) == 0 {
		delete(v.pages, p.visit)
	}
}

// invite sends an invitation to a page.
func (v *Visitors) invite(p *page, i *engagement.Invitation) {
	message, err := i.Message(v.options.Tickets, p.base)
	if err != nil {
		v.log.Error("An invitation cannot be written", "interaction", i.Name.String(), "error", err)
		return
	}
	p.gets(markOf(i))
	p.deliver(message)
	v.options.Observe("invitation")
}

// Pages returns how many pages are open.
func (v *Visitors) Pages() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.count
}

// Invitations returns how many invitations are open.
func (v *Visitors) Invitations() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.records)
}

// problemOf returns the problem that an error is.
func problemOf(err error) *problem.Problem {
	var p *problem.Problem
	if errors.As(err, &p) {
		return p
	}
	return problem.New(problem.Internal, "")
}
