package board

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// Receiver is how the receiver of a call is doing, and what of one contact center waits for it.
type Receiver struct {
	Call string
	// State is the worst that a worker reports: a contract.ReceiverState, or StateUnknown. P95 is the
	// highest of all workers, in milliseconds; 0 if there is none.
	State string
	P95   int64
	// Counted is false if the lanes could not be counted; the fields below are zero then. Waiting
	// counts the interactions whose deliveries wait for the receiver, without those of which one is
	// parked. Parked counts the parked deliveries. Oldest is how long the first of all these
	// interactions has waited.
	Counted         bool
	Waiting, Parked int
	Oldest          time.Duration
}

// countWait bounds how long an answer waits for the first count of a contact center.
const countWait = 2 * time.Second

// Receivers returns the receivers by call: those of the configuration, those on which workers report,
// and those for which the contact center has deliveries. The counts are of this contact center alone.
func (b *Board) Receivers(ctx context.Context, contactCenter string) []Receiver {
	receivers := map[string]*Receiver{}
	for _, call := range b.config.Current().Calls() {
		receivers[call.Name] = &Receiver{Call: call.Name, State: StateUnknown}
	}
	of := func(call string) *Receiver {
		if receivers[call] == nil {
			receivers[call] = &Receiver{Call: call, State: StateUnknown}
		}
		return receivers[call]
	}
	for call, worst := range b.reports.worst() {
		r := of(call)
		r.State, r.P95 = string(worst.state), worst.p95
	}
	ctx, cancel := context.WithTimeout(ctx, countWait)
	defer cancel()
	counted, ok := b.lanes.of(ctx, contactCenter)
	for call, sum := range counted {
		r := of(call)
		r.Waiting, r.Parked, r.Oldest = sum.Open-sum.WithParked, sum.Parked, max(0, time.Since(sum.Oldest))
	}
	list := make([]Receiver, 0, len(receivers))
	for _, r := range slices.SortedFunc(maps.Values(receivers), func(x, y *Receiver) int { return cmp.Compare(x.Call, y.Call) }) {
		r.Counted = ok
		list = append(list, *r)
	}
	return list
}
