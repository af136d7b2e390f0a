package desktop

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/gateway/desktop/view"
	"segue/gateway/problem"
)

const (
	// askEvery is how often what contact centers offer is asked for while agents have sessions.
	askEvery = time.Minute
	// askWithin bounds how long that waits for one contact center, and askAtOnce how many are asked at once.
	askWithin = 10 * time.Second
	askAtOnce = 4
	// prepareWait bounds how long a new session waits for dispositions. They come later else.
	prepareWait = time.Second
)

// offerOf returns what a contact center is known to offer. The caller holds the mutex.
func (s *Server) offerOf(contactCenter string) Offer {
	if set := s.settings.Load(); !set.IsAsked {
		return set.Offer
	}
	return s.offers[contactCenter]
}

// offer returns what a contact center offers now. Clients are notified of dispositions that have changed.
func (s *Server) offer(ctx context.Context, contactCenter string) (Offer, error) {
	set := s.settings.Load()
	if !set.IsAsked {
		return set.Offer, nil
	}
	asked, err := s.options.Ask(ctx, contactCenter)
	if err != nil {
		return Offer{}, problem.New(problem.Unavailable, "The scripts and dispositions of the contact center are not known at present.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settings.Load() != set { // a reload has replaced the call: its answer must not be shown after that
		return asked, nil
	}
	s.offers[contactCenter] = asked
	for of, one := range s.seats {
		if of.contactCenter == contactCenter {
			one.send(one.desktop.Configure(s.offerOf(contactCenter).Dispositions))
		}
	}
	return asked, nil
}

// isStale has what contact centers offer asked for soon.
func (s *Server) isStale() {
	select {
	case s.stale <- struct{}{}:
	default: // it is about to be
	}
}

// followOffers asks for what contact centers offer while their agents have sessions.
func (s *Server) followOffers(ctx context.Context) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stale:
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.askAll(ctx)
	}
}

func (s *Server) askAll(ctx context.Context) {
	if !s.settings.Load().IsAsked {
		return
	}
	var asking errgroup.Group
	asking.SetLimit(askAtOnce)
	for _, center := range s.centers() {
		asking.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, askWithin)
			defer cancel()
			_, _ = s.offer(ctx, center) // Ask logs its failures, and what was known stays
			return nil
		})
	}
	_ = asking.Wait() // none returns an error
}

// centers returns the contact centers with sessions, and forgets what others offer.
func (s *Server) centers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []string
	for of, one := range s.seats {
		if one.session != nil && !slices.Contains(open, of.contactCenter) {
			open = append(open, of.contactCenter)
		}
	}
	for center := range s.offers {
		if !slices.Contains(open, center) {
			delete(s.offers, center)
		}
	}
	return open
}

// scriptList is the data of the answer to getscripts.
type scriptList struct {
	Scripts []Script `json:"scripts"`
}

// scripts lists the scripts of the channel's type.
func (s *Server) scripts(ctx context.Context, q *request) (any, error) {
	offer, err := s.offer(ctx, q.session.seat.agent.contactCenter)
	if err != nil {
		return nil, err
	}
	list := scriptList{Scripts: []Script{}}
	for _, script := range offer.Scripts {
		isListed := slices.ContainsFunc(list.Scripts, func(o Script) bool { return o.ID == script.ID })
		if script.Type == q.found.Channel && !isListed {
			list.Scripts = append(list.Scripts, script)
		}
	}
	return list, nil
}

// dispose records the value of a disposition of the channel, or the one that is given.
func (s *Server) dispose(ctx context.Context, q *request) (any, error) {
	values := map[string]string{}
	for _, field := range []string{"interactionDispositionId", "value", "notes"} {
		var err error
		if values[field], err = q.given().text(field); err != nil {
			return nil, err
		}
	}
	id, code := values["interactionDispositionId"], values["value"]
	if isBlank(id) && isBlank(code) {
		return nil, invalid("data.interactionDispositionId", q.data.Values["interactionDispositionId"], "is missing; send that of a disposition of the channel, or value")
	}
	if isBlank(code) {
		var err error
		if code, err = s.codeFor(ctx, q, id); err != nil {
			return nil, err
		}
	}
	given := fields{"code": code}
	if values["notes"] != "" {
		given["notes"] = values["notes"]
	}
	if err := s.give(ctx, q, command{"set_disposition", given}); err != nil {
		return nil, err
	}
	return q.echoed(), nil
}

// codeFor returns the value of a disposition of the channel: of those that the client was sent, else of those
// that are offered now.
func (s *Server) codeFor(ctx context.Context, q *request, id string) (string, error) {
	center := q.session.seat.agent.contactCenter
	s.mu.Lock()
	known := s.offerOf(center)
	s.mu.Unlock()
	if code := known.code(q.found.Channel, id); code != "" {
		return code, nil
	}
	now, err := s.offer(ctx, center)
	if err != nil {
		return "", fmt.Errorf("disposition: %w", err)
	}
	if code := now.code(q.found.Channel, id); code != "" {
		return code, nil
	}
	return "", invalid("data.interactionDispositionId", q.data.Values["interactionDispositionId"], "is no disposition of the channel; send another, or value")
}

// code returns the value of a disposition; empty if there is none with the id.
func (o Offer) code(kind view.Type, id string) string {
	n := slices.IndexFunc(o.Dispositions, func(d view.Disposition) bool { return d.Type == kind && d.ID == id })
	if n < 0 {
		return ""
	}
	return o.Dispositions[n].Value
}
