package workflows

import (
	"cmp"
	"slices"
	"strings"

	"segue/dispatch"
)

// What an interaction shows of its deliveries: the last finished ones, and the
// first that are still open. The others are counted; their lane workflow has them.
const (
	shownSettled = 200
	shownOpen    = 500
)

// deliveryLog is what the query "deliveries" shows, in order of dispatch.
type deliveryLog struct {
	Records []*DeliveryRecord `json:"records,omitempty"`
	// Undelivered counts the deliveries that are not delivered or discarded, Hidden
	// those of them that are not shown.
	Undelivered int `json:"undelivered,omitempty"`
	Hidden      int `json:"hidden,omitempty"`
	Total       int `json:"total,omitempty"`
}

func (g *deliveryLog) add(record DeliveryRecord) {
	g.Total++
	if !isSettled(record.Status) {
		g.Undelivered++
		if g.Undelivered-g.Hidden > shownOpen {
			g.Hidden++
			return
		}
	}
	g.Records = append(g.Records, &record)
	g.trim()
}

// isOpen tells whether a delivery is not settled. One that is not in the log is a
// hidden one: those that leave it are settled, and settled once.
func (g *deliveryLog) isOpen(id string) bool {
	for _, record := range slices.Backward(g.Records) {
		if record.ID == id {
			return !isSettled(record.Status)
		}
	}
	return g.Hidden > 0
}

// set notes where a delivery stands now.
func (g *deliveryLog) set(id string, status dispatch.Status, outcome *dispatch.Outcome) {
	for i := len(g.Records) - 1; i >= 0; i-- {
		record := g.Records[i]
		if record.ID != id {
			continue
		}
		if isSettled(record.Status) {
			return // the lane told of its end before the append was known to have worked
		}
		if isSettled(status) {
			g.Undelivered--
			defer g.trim()
		}
		record.Status = status
		if outcome != nil {
			record.Code, record.Class, record.Why = outcome.Code, outcome.Class, outcome.Message
			record.Version = cmp.Or(outcome.Version, record.Version)
			if !outcome.At.IsZero() {
				record.At = stamp(outcome.At)
			}
		}
		return
	}
	if isSettled(status) && g.Hidden > 0 {
		g.Hidden--
		g.Undelivered--
	}
}

func (g *deliveryLog) trim() {
	open := g.Undelivered - g.Hidden
	for settled := len(g.Records) - open; settled > shownSettled; settled-- {
		for i, record := range g.Records {
			if isSettled(record.Status) {
				g.Records = append(g.Records[:i], g.Records[i+1:]...)
				break
			}
		}
	}
}

func isSettled(status dispatch.Status) bool {
	return status == dispatch.StatusDelivered || status == dispatch.StatusDiscarded
}

// excerpt bounds a text that came from outside, in bytes, without cutting a rune.
func excerpt(text string, limit int) string {
	if len(text) <= limit {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// open returns the first deliveries that are not settled, at most limit.
func (g *deliveryLog) open(limit int) []*DeliveryRecord {
	var open []*DeliveryRecord
	for _, record := range g.Records {
		if len(open) < limit && !isSettled(record.Status) {
			open = append(open, record)
		}
	}
	return open
}
