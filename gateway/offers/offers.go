package offers

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"segue/config"
	"segue/delivery"
	"segue/interaction"
)

const (
	// fresh is how long a list counts, and failed how long a failure does.
	fresh  = 30 * time.Second
	failed = 5 * time.Second
	// maxKept bounds the contact centers whose lists are kept.
	maxKept = 1000
	// closeWithin bounds how long Close waits for a request in flight.
	closeWithin = 5 * time.Second
)

// moment is the event.when of a call that asks for lists.
const moment interaction.Moment = "desktop"

// Options configure a source.
type Options struct {
	// Sender sends the requests. Close closes it.
	Sender *delivery.Sender
	// Call returns the call of the configuration that applies; nil for none.
	Call func() *config.Call
	Log  *slog.Logger
	// Fresh and Failed are how long a list and a failure count; 0 is the default.
	Fresh, Failed time.Duration
}

// Source gets lists and keeps them for a short time. It is safe for concurrent use.
type Source struct {
	options  Options
	requests sync.WaitGroup

	mu       sync.Mutex
	isClosed bool
	kept     map[string]*answer
}

// answer is what a call has responded for a contact center, or will.
type answer struct {
	call *config.Call
	// over is closed when the fields below are set.
	over  chan struct{}
	list  config.Desktop
	err   error
	until time.Time
}

var errClosed = errors.New("the gateway is stopping")

// New returns a source.
func New(o Options) *Source {
	o.Fresh, o.Failed = cmp.Or(o.Fresh, fresh), cmp.Or(o.Failed, failed)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Source{options: o, kept: map[string]*answer{}}
}

// Get returns the scripts and dispositions of a contact center. If the context ends first, the request goes
// on, and a later Get has its response.
func (s *Source) Get(ctx context.Context, contactCenter string) (config.Desktop, error) {
	a, err := s.ask(contactCenter)
	if err != nil {
		return config.Desktop{}, err
	}
	select {
	case <-a.over:
		return a.list, a.err
	case <-ctx.Done():
		return config.Desktop{}, fmt.Errorf("call %s: %w", a.call.Name, ctx.Err())
	}
}

// ask returns the answer that counts, or one that is on its way.
func (s *Source) ask(contactCenter string) (*answer, error) {
	call := s.options.Call()
	if call == nil {
		return nil, errors.New("the configuration has no call")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed {
		return nil, errClosed
	}
	if a := s.kept[contactCenter]; a != nil && a.call == call && a.counts() {
		return a, nil
	}
	s.makeRoom()
	a := &answer{call: call, over: make(chan struct{})}
	s.kept[contactCenter] = a
	s.requests.Go(func() { s.fetch(a, contactCenter) })
	return a, nil
}

// counts reports whether an answer is on its way or recent.
func (a *answer) counts() bool {
	select {
	case <-a.over:
		return time.Now().Before(a.until)
	default:
		return true
	}
}

func (s *Source) makeRoom() {
	if len(s.kept) < maxKept {
		return
	}
	for center, a := range s.kept {
		if !a.counts() {
			delete(s.kept, center)
		}
	}
	if len(s.kept) >= maxKept {
		clear(s.kept) // those who wait for an answer have it
	}
}

// fetch sends one request and completes an answer.
func (s *Source) fetch(a *answer, contactCenter string) {
	defer close(a.over)
	a.list, a.err = s.send(a.call, contactCenter)
	if a.err != nil {
		a.until = time.Now().Add(s.options.Failed)
		s.options.Log.Warn("The call that lists scripts and dispositions failed", "call", a.call.Name, "contact_center", contactCenter, "error", a.err)
		return
	}
	a.until = time.Now().Add(s.options.Fresh)
}

func (s *Source) send(call *config.Call, contactCenter string) (config.Desktop, error) {
	now := time.Now().UTC()
	view := &interaction.View{Interaction: interaction.Facts{ContactCenter: contactCenter, StartedAt: now}}
	request, err := call.Template.Render("desktop-"+strings.ToLower(rand.Text()), view, &interaction.Event{Moment: moment, At: now})
	if err != nil {
		return config.Desktop{}, fmt.Errorf("call %s: %w", call.Name, err)
	}
	// The policy of the call bounds the request.
	body, err := s.options.Sender.Fetch(context.Background(), call.Policy, request)
	if err != nil {
		return config.Desktop{}, err
	}
	list, err := read(body)
	if err != nil {
		return config.Desktop{}, fmt.Errorf("call %s: the response %w", call.Name, err)
	}
	return list, nil
}

// Close sends no more requests, and waits a bounded time for those in flight.
func (s *Source) Close() {
	s.mu.Lock()
	s.isClosed = true
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	if s.options.Sender.Close(ctx) == nil {
		s.requests.Wait()
	} // else those in flight end with the process
}
