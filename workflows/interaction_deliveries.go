package workflows

import (
	"cmp"
	"slices"

	"segue/contract"
)

// shownSettled is how many of its settled deliveries an interaction shows: the last ones.
const shownSettled = 200

// deliveryLog is what the query "deliveries" returns, in the order of dispatch.
type deliveryLog struct {
	Records []*contract.DeliveryRecord `json:"records,omitempty"`
	// Undelivered counts the deliveries that are neither delivered nor discarded. Hidden are
	// the short ids of those that are not shown. Uncounted is how many more there are, beyond
	// the most that an interaction may have open.
	Undelivered int      `json:"undelivered,omitempty"`
	Hidden      []string `json:"hidden,omitempty"`
	Uncounted   int      `json:"uncounted,omitempty"`
	Total       int      `json:"total,omitempty"`
}

func (g *deliveryLog) addRecord(record contract.DeliveryRecord) {
	g.Total++
	if !isSettled(record.Status) {
		g.Undelivered++
		if g.Undelivered-g.hidden() > contract.ShownOpen {
			g.hide(record.ID)
			return
		}
	}
	g.Records = append(g.Records, &record)
	g.trim()
}

// shortID identifies a delivery that is not shown: 48 bits of its digest.
func shortID(id string) string { return id[max(0, len(id)-8):] }

func (g *deliveryLog) hide(id string) {
	if len(g.Hidden) == owedLimit {
		g.Uncounted++
		return
	}
	g.Hidden = append(g.Hidden, shortID(id))
}

func (g *deliveryLog) hidden() int { return len(g.Hidden) + g.Uncounted }

// isOpen reports whether the interaction knows a delivery of a call that is not settled.
func (g *deliveryLog) isOpen(id, call string) bool {
	for _, record := range slices.Backward(g.Records) {
		if record.ID == id {
			return record.Call == call && !isSettled(record.Status)
		}
	}
	return slices.Contains(g.Hidden, shortID(id))
}

// sequenceOf returns the sequence number of the event of a delivery; 0 if the delivery is not shown.
func (g *deliveryLog) sequenceOf(id string) int64 {
	for _, record := range slices.Backward(g.Records) {
		if record.ID == id {
			return record.Sequence
		}
	}
	return 0
}

// isInLane reports whether a delivery of a call is known to be in its lane workflow.
func (g *deliveryLog) isInLane(id, call string) bool {
	for _, record := range slices.Backward(g.Records) {
		if record.ID == id {
			return record.Call == call && (record.Status == contract.StatusInLane || record.Status == contract.StatusParked)
		}
	}
	return slices.Contains(g.Hidden, shortID(id))
}

// hasInLane reports whether a shown delivery of a call is in its lane workflow.
func (g *deliveryLog) hasInLane(call string) bool {
	return slices.ContainsFunc(g.Records, func(record *contract.DeliveryRecord) bool {
		return record.Call == call && (record.Status == contract.StatusInLane || record.Status == contract.StatusParked)
	})
}

// setStatus notes the status of a delivery.
func (g *deliveryLog) setStatus(id string, status contract.DeliveryStatus, outcome *contract.Outcome) {
	for i := len(g.Records) - 1; i >= 0; i-- {
		record := g.Records[i]
		if record.ID != id {
			continue
		}
		if isSettled(record.Status) {
			return // the lane reported its end before the activity that appended it ended
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
	if isSettled(status) {
		g.settleHidden(id)
	}
}

func (g *deliveryLog) settleHidden(id string) {
	switch i := slices.Index(g.Hidden, shortID(id)); {
	case i >= 0:
		g.Hidden = slices.Delete(g.Hidden, i, i+1)
	case g.Uncounted > 0:
		g.Uncounted--
	default:
		return
	}
	g.Undelivered--
}

func (g *deliveryLog) trim() {
	open := g.Undelivered - g.hidden()
	for settled := len(g.Records) - open; settled > shownSettled; settled-- {
		for i, record := range g.Records {
			if isSettled(record.Status) {
				g.Records = append(g.Records[:i], g.Records[i+1:]...)
				break
			}
		}
	}
}

func isSettled(status contract.DeliveryStatus) bool {
	return status == contract.StatusDelivered || status == contract.StatusDiscarded
}

// firstOpen returns the first deliveries that are not settled, at most limit.
func (g *deliveryLog) firstOpen(limit int) []*contract.DeliveryRecord {
	var open []*contract.DeliveryRecord
	for _, record := range g.Records {
		if len(open) < limit && !isSettled(record.Status) {
			open = append(open, record)
		}
	}
	return open
}
