package visitor

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"segue/client"
	"segue/gateway/engagement"
	"segue/gateway/index"
	"segue/interaction"
)

const (
	// compareEvery is how often all open invitations are compared with the index, and pages whose token has
	// ended are closed.
	compareEvery = 15 * time.Second
	// completeEvery is the same while the index is not complete.
	completeEvery = 100 * time.Millisecond
	// readPause is before the next attempt to read changes that could not be read.
	readPause = 100 * time.Millisecond
)

// Run keeps pages current until the context ends.
func (v *Visitors) Run(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		v.compareAll(ctx)
	}()
	defer func() { <-ended }()
	for {
		reader, err := v.options.Index.ReadFrom(ctx, v.options.Index.End())
		if err == nil {
			v.compare()
			err = v.read(ctx, reader)
		}
		v.log.Debug("Visitors read the changes again", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(readPause):
		}
	}
}

// read applies the changes of a reader until it cannot go on.
func (v *Visitors) read(ctx context.Context, reader *index.Reader) error {
	for {
		change, err := reader.Next(ctx, v.wants)
		switch {
		case err == nil:
			v.refresh(nameOf(change))
		case errors.Is(err, index.ErrResync) || ctx.Err() != nil:
			return err
		default: // the stream itself could not be read
			select {
			case <-ctx.Done():
			case <-time.After(readPause):
			}
		}
	}
}

func nameOf(c *index.Change) client.Name {
	return client.Name{ContactCenter: c.Notice.ContactCenter, ID: c.Notice.Interaction}
}

// wants reports whether a change can be about an invitation.
func (v *Visitors) wants(c *index.Change) bool {
	if s := c.Notice.State; s == nil || s.State == interaction.StateEngaging {
		return true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.records[nameOf(c)] != nil
}

// compareAll compares again and again: a change that brought no notice is seen, too.
func (v *Visitors) compareAll(ctx context.Context) {
	isComplete := false
	for {
		every := compareEvery
		if !isComplete {
			every = completeEvery
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		if !isComplete && !v.options.Index.Health().Complete {
			continue
		}
		isComplete = true
		v.compare()
		v.settle()
		v.expire()
	}
}

// compare brings all invitations up to the index.
func (v *Visitors) compare() {
	names := map[client.Name]bool{}
	for _, contactCenter := range v.options.Index.ContactCenters() {
		for _, e := range v.options.Index.List(contactCenter, func(e *index.Entry) bool { return e.State.State == interaction.StateEngaging }) {
			names[client.Name{ContactCenter: e.State.ContactCenter, ID: e.State.ID}] = true
		}
	}
	v.mu.Lock()
	for name := range v.records {
		names[name] = true
	}
	v.mu.Unlock()
	for name := range names {
		v.refresh(name)
	}
}

// refresh brings one invitation up to the index, whose state is never older than a change that was read.
func (v *Visitors) refresh(n client.Name) {
	defer func() { // others have their invitations whatever a state has
		if failure := recover(); failure != nil {
			v.log.Error("An invitation cannot be sent", "interaction", n.String(), "failure", failure, "stack", string(debug.Stack()))
		}
	}()
	v.mu.Lock()
	defer v.mu.Unlock()
	var now *engagement.Invitation
	if e, isOpen := v.options.Index.Get(n); isOpen {
		now = engagement.InvitationOf(e.State)
	}
	before := v.records[n]
	switch {
	case now == nil && before == nil, now != nil && now.Is(before):
		return
	case before != nil:
		v.forget(before)
		// The next attempt takes the place of the one before it on the same page.
		if now == nil || visitOf(now) != visitOf(before) {
			v.cancel(before)
		}
	}
	if now != nil {
		v.remember(now)
		for p := range v.pages[visitOf(now)] {
			v.invite(p, now)
		}
	}
}

func visitOf(i *engagement.Invitation) visit { return visit{i.Name.ContactCenter, i.Visit} }

func (v *Visitors) remember(i *engagement.Invitation) {
	of := visitOf(i)
	if v.open[of] == nil {
		v.open[of] = map[client.Name]*engagement.Invitation{}
	}
	v.records[i.Name], v.open[of][i.Name] = i, i
}

func (v *Visitors) forget(i *engagement.Invitation) {
	of := visitOf(i)
	delete(v.records, i.Name)
	delete(v.open[of], i.Name)
	if len(v.open[of]) == 0 {
		delete(v.open, of)
	}
}

// cancel sends the pages of a visitor that an invitation is over.
func (v *Visitors) cancel(i *engagement.Invitation) {
	for p := range v.pages[visitOf(i)] {
		if !p.isOver(markOf(i)) {
			v.end(p, markOf(i))
		}
	}
}

// end sends a page that an invitation is over.
func (v *Visitors) end(p *page, m mark) {
	message, err := engagement.Canceled(m.ixnID, m.attempt)
	if err != nil {
		v.log.Error("The end of an invitation cannot be written", "error", err)
		return
	}
	p.forget(m)
	p.deliver(message)
	v.options.Observe("canceled")
}

// expire ends the pages that may no longer see invitations.
func (v *Visitors) expire() {
	v.mu.Lock()
	v.dropLost(time.Now())
	var over []*page
	for _, pages := range v.pages {
		for p := range pages {
			if !p.may() {
				over = append(over, p)
			}
		}
	}
	v.mu.Unlock()
	for _, p := range over {
		p.end()
	}
}
