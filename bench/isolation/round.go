package main

import (
	"encoding/json"
	"fmt"
	"time"

	"segue/bench"
	"segue/client"
)

// event is one signal and the time at which it was due.
type event struct {
	to    client.Name
	group int
	at    time.Time
}

// payload selects the calls that the event fires, and identifies their arrivals.
func (e *event) payload(r *round, number int) json.RawMessage {
	condition := ""
	if r.degraded {
		condition = "degraded"
	}
	return fmt.Appendf(nil, `{"p1":"g%d","p2":%q,"p3":"%d","p4":%q}`, e.group, r.name, number, condition)
}

// laneName is one interaction × one receiver.
type laneName struct {
	interaction string
	receiver    int
}

// round is what is sent and what has arrived.
type round struct {
	name         string
	degraded     bool
	interactions []client.Name
	events       []event
	begin        time.Time

	expected, expectedHealthy int
	arrivals, arrivedHealthy  int
	// missing counts the deliveries that are still to arrive, by lane of a degraded receiver.
	missing map[laneName]int
	// last is the sequence of the latest arrival in a lane.
	last    map[laneName]int64
	latency []time.Duration // of the healthy receivers' deliveries

	deadAttempts, slowAttempts []time.Time
	degradedFor, recovery      time.Duration
	redelivered                int
}

// newRound spreads the events over interactions and groups, so that every interaction has events of every group.
func newRound(name string, degraded bool, p plan) *round {
	r := &round{name: name, degraded: degraded, missing: map[laneName]int{}, last: map[laneName]int64{}}
	for i := range p.Interactions {
		r.interactions = append(r.interactions, client.Name{ContactCenter: name, ID: fmt.Sprintf("%s-%d", name, i)})
	}
	for i := range p.Deliveries / p.Pairs / fanOut {
		e := event{to: r.interactions[i%p.Interactions], group: (i + i/p.Interactions) % groups}
		r.events = append(r.events, e)
		for _, number := range e.receivers(degraded) {
			r.expected++
			if canDegrade(number) {
				r.missing[laneName{e.to.ID, number}]++
			} else {
				r.expectedHealthy++
			}
		}
	}
	return r
}

// receivers returns the numbers of the receivers that the event is for. The two that can degrade are among them only in
// a degraded round.
func (e *event) receivers(degraded bool) []int {
	var numbers []int
	for number := e.group; number < receivers; number += groups {
		if degraded || !canDegrade(number) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

func canDegrade(receiver int) bool { return receiver == deadOne || receiver == slowOne }

// note records an arrival. One that is out of order in its lane is an error.
func (r *round) note(a arrival) error {
	if a.Round != r.name {
		return fmt.Errorf("event %d of round %s arrived in round %s", a.Event, a.Round, r.name)
	}
	lane := laneName{a.Interaction, a.receiver}
	if a.Sequence <= r.last[lane] {
		return fmt.Errorf("out of order: event %d of %s arrived at receiver %d behind event %d", a.Sequence, a.Interaction, a.receiver, r.last[lane])
	}
	r.last[lane] = a.Sequence
	r.arrivals++
	if canDegrade(a.receiver) {
		if r.missing[lane]--; r.missing[lane] == 0 {
			delete(r.missing, lane)
		}
		return nil
	}
	r.arrivedHealthy++
	r.latency = append(r.latency, a.at.Sub(r.events[a.Event].at))
	return nil
}

func (r *round) allHealthy() bool { return r.arrivedHealthy == r.expectedHealthy }
func (r *round) all() bool        { return r.arrivals == r.expected }

// openLanes returns the lanes of the degraded receivers in which deliveries are missing.
func (r *round) openLanes() []client.Lane {
	var list []client.Lane
	for _, n := range r.interactions {
		for _, number := range []int{deadOne, slowOne} {
			if r.missing[laneName{n.ID, number}] > 0 {
				list = append(list, client.LaneOf(n, callOf(number)))
			}
		}
	}
	return list
}

// String summarizes the round in one line.
func (r *round) String() string {
	text := fmt.Sprintf("healthy p50 %.1f ms, p99 %.1f ms", bench.Milliseconds(bench.Quantile(r.latency, 0.5)), bench.Milliseconds(bench.Quantile(r.latency, 0.99)))
	if !r.degraded {
		return "without the two: " + text
	}
	return fmt.Sprintf("with the two:    %s; %d attempts at the dead one in %.0f s, %d at the slow one; all had arrived %.1f s after their recovery",
		text, len(r.deadAttempts), r.degradedFor.Seconds(), len(r.slowAttempts), r.recovery.Seconds())
}
