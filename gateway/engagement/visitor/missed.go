package visitor

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"segue/client"
	"segue/gateway/engagement"
)

// mark is how a page knows an invitation.
type mark struct {
	ixnID   string
	attempt int
}

func markOf(i *engagement.Invitation) mark { return mark{i.Name.ID, i.Attempt} }

// had is an invitation that a page knows, and when the page was sent that it is over; zero for not yet.
type had struct {
	mark
	over time.Time
}

func (h had) isOver() bool { return !h.over.IsZero() }

// maxHad bounds the invitations that a page is known to have. Beyond, those that are over are forgotten, then the
// oldest.
const maxHad = 20

// gets notes an invitation that a page is sent. A later attempt of an interaction replaces the one before.
func (p *page) gets(m mark) {
	p.had = slices.DeleteFunc(p.had, func(h had) bool { return h.ixnID == m.ixnID })
	p.add(m)
}

// brings notes invitations that a page has had before it came, in no order.
func (p *page) brings(marks []mark) {
	for _, m := range marks {
		p.had = slices.DeleteFunc(p.had, func(h had) bool { return h.mark == m })
		p.add(m)
	}
}

func (p *page) add(m mark) {
	p.had = append(p.had, had{mark: m})
	for len(p.had) > maxHad {
		least := max(0, slices.IndexFunc(p.had, had.isOver))
		p.had = slices.Delete(p.had, least, least+1)
	}
}

// forget notes that a page was sent that an invitation is over.
func (p *page) forget(m mark) {
	for i := range p.had {
		if p.had[i].mark == m {
			p.had[i].over = time.Now()
		}
	}
}

// isOver reports whether a page was sent that an invitation is over.
func (p *page) isOver(m mark) bool {
	return slices.ContainsFunc(p.had, func(h had) bool { return h.mark == m && h.isOver() })
}

// lacking returns the invitations of which a page may not know that they are over, if it may lack what it was sent
// since a time.
func (p *page) lacking(since time.Time) []mark {
	var marks []mark
	for _, h := range p.had {
		if !h.isOver() || !h.over.Before(since) {
			marks = append(marks, h.mark)
		}
	}
	return marks
}

// shown returns the invitations of which a page was not sent that they are over.
func (p *page) shown() []mark {
	var marks []mark
	for _, h := range p.had {
		if !h.isOver() {
			marks = append(marks, h.mark)
		}
	}
	return marks
}

// sendMissed sends a page that invitations are over which it has and which are no longer open. While the index is
// not complete, nobody knows which are: settle does it then.
func (v *Visitors) sendMissed(p *page) {
	if len(p.had) == 0 || !v.options.Index.Health().Complete {
		return
	}
	for _, m := range p.shown() {
		if !v.isOpen(p.visit, m.ixnID) {
			v.end(p, m)
		}
	}
}

// isOpen reports whether an interaction has an open invitation for a visit. A later attempt than the one that the
// page has replaces it there.
func (v *Visitors) isOpen(of visit, ixnID string) bool {
	e, isKnown := v.options.Index.Get(client.Name{ContactCenter: of.contactCenter, ID: ixnID})
	if !isKnown {
		return false
	}
	now := engagement.InvitationOf(e.State)
	return now != nil && visitOf(now) == of
}

// settle sends all pages what they have missed. Nothing is left to send, unless this replica did not know better
// when a page came.
func (v *Visitors) settle() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, pages := range v.pages {
		for p := range pages {
			v.sendMissed(p)
		}
	}
}

const (
	// lostFor is how long a lost page is remembered, as those of agents are.
	lostFor = 15 * time.Minute
	// maxLostOfVisit and maxLost bound what is remembered. Beyond, the oldest of a visit is forgotten, or nothing
	// more is remembered.
	maxLostOfVisit = maxPagesOfVisit
	maxLost        = maxPages
)

// lostPage is a page by CometD whose session ended without a disconnect: a new session of the same browser, or with
// the same token, may be that page again. A page that says what it has needs no such memory.
type lostPage struct {
	browser, token string
	marks          []mark
	until          time.Time
}

// lose remembers a page that may come back.
func (v *Visitors) lose(p *page, browser, token string, since time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	marks := p.lacking(since)
	if len(marks) == 0 || v.lostCount >= maxLost {
		return
	}
	all := v.lost[p.visit]
	if len(all) == maxLostOfVisit {
		all = slices.Delete(all, 0, 1)
		v.lostCount--
	}
	v.lost[p.visit] = append(all, lostPage{browser, token, marks, time.Now().Add(lostFor)})
	v.lostCount++
}

// found returns the invitations that lost pages of a browser, or with a token, have.
func (v *Visitors) found(of visit, browser, token string) (marks []mark) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, l := range v.lost[of] {
		if l.browser == browser || token != "" && l.token == token {
			marks = append(marks, l.marks...)
		}
	}
	return marks
}

// dropLost forgets the lost pages that have not come back in time.
func (v *Visitors) dropLost(now time.Time) {
	for of, all := range v.lost {
		left := slices.DeleteFunc(slices.Clone(all), func(l lostPage) bool { return !now.Before(l.until) })
		v.lostCount -= len(all) - len(left)
		if v.lost[of] = left; len(left) == 0 {
			delete(v.lost, of)
		}
	}
}

// eventID is the id of the last event of a stream: the invitations that the page has, as "ixnId/attempt" with commas
// between. A page that reconnects sends it, to whichever replica.
func (p *page) eventID() string {
	var parts []string
	for _, m := range p.shown() {
		parts = append(parts, m.ixnID+"/"+strconv.Itoa(m.attempt))
	}
	return strings.Join(parts, ",")
}

// marksIn reads an eventID. What no gateway has written is ignored.
func marksIn(eventID string) []mark {
	var marks []mark
	for part := range strings.SplitSeq(eventID, ",") {
		ixnID, number, _ := strings.Cut(part, "/")
		attempt, err := strconv.Atoi(number)
		if err != nil || len(marks) == maxHad {
			continue
		}
		marks = appendMark(marks, ixnID, attempt)
	}
	return marks
}

// marksOf reads the invitations that a page says it has, as it got them. What is none is ignored.
func marksOf(shown json.RawMessage) []mark {
	var list []json.RawMessage
	if json.Unmarshal(shown, &list) != nil {
		return nil
	}
	var marks []mark
	for _, one := range list[max(0, len(list)-maxHad):] {
		var given struct {
			IxnID   string `json:"ixnId"`
			Attempt int    `json:"attempt"`
		}
		if json.Unmarshal(one, &given) == nil {
			marks = appendMark(marks, given.IxnID, given.Attempt)
		}
	}
	return marks
}

// appendMark appends a mark that can be one: the page gets it back.
func appendMark(marks []mark, ixnID string, attempt int) []mark {
	if attempt < 1 || (client.Name{ContactCenter: "x", ID: ixnID}).Check() != nil {
		return marks
	}
	return append(marks, mark{ixnID, attempt})
}
