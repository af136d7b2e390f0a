package main

import (
	"encoding/json"
	"fmt"
	"time"

	"segue/bench/lab"
	"segue/client"
)

// event is one signal and when it was due.
type event struct {
	to    client.Name
	group int
	at    time.Time
}

// payload says which calls are fired, and lets an arrival be told apart.
func (e *event) payload(r *round, number int) json.RawMessage {
	sick := ""
	if r.sick {
		sick = "sick"
	}
	return fmt.Appendf(nil, `{"p1":"g%d","p2":%q,"p3":"%d","p4":%q}`, e.group, r.name, number, sick)
}

// laneName is one interaction × one receiver.
type laneName struct {
	interaction string
	receiver    int
}

// round is what is sent and what has arrived.
type round struct {
	name         string
	sick         bool
	interactions []client.Name
	events       []event
	begin        time.Time

	expected, expectedHealthy int
	arrivals, arrivedHealthy  int
	// missing counts what is still to arrive in a sick receiver's lanes.
	missing map[laneName]int
	// last is the sequence that arrived last in a lane.
	last    map[laneName]int64
	latency []time.Duration // of the healthy receivers' deliveries

	deadTries, slowTries []time.Time
	sickFor, recovery    time.Duration
	redelivered          int
}

// newRound spreads the events over interactions and groups, so that every
// interaction meets every group.
func newRound(name string, sick bool, p plan) *round {
	r := &round{name: name, sick: sick, missing: map[laneName]int{}, last: map[laneName]int64{}}
	for i := range p.Interactions {
		r.interactions = append(r.interactions, client.Name{ContactCenter: name, ID: fmt.Sprintf("%s-%d", name, i)})
	}
	for i := range p.Deliveries / p.Pairs / fanOut {
		e := event{to: r.interactions[i%p.Interactions], group: (i + i/p.Interactions) % groups}
		r.events = append(r.events, e)
		for _, number := range e.receivers(sick) {
			r.expected++
			if isSick(number) {
				r.missing[laneName{e.to.ID, number}]++
			} else {
				r.expectedHealthy++
			}
		}
	}
	return r
}

// receivers are those that an event is for; the two that may be sick are there
// only in a sick round.
func (e *event) receivers(sick bool) []int {
	var numbers []int
	for number := e.group; number < receivers; number += groups {
		if sick || !isSick(number) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

func isSick(receiver int) bool { return receiver == deadOne || receiver == slowOne }

// take notes an arrival; one that comes before its turn is an error.
func (r *round) take(a arrival) error {
	if a.Round != r.name {
		return fmt.Errorf("event %d of round %s arrived in round %s", a.Event, a.Round, r.name)
	}
	lane := laneName{a.Interaction, a.receiver}
	if a.Sequence <= r.last[lane] {
		return fmt.Errorf("out of order: event %d of %s arrived at receiver %d behind event %d", a.Sequence, a.Interaction, a.receiver, r.last[lane])
	}
	r.last[lane] = a.Sequence
	r.arrivals++
	if isSick(a.receiver) {
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

// openLanes are the sick receivers' lanes in which something has not arrived yet.
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

// String is the round in one line.
func (r *round) String() string {
	text := fmt.Sprintf("healthy p50 %.1f ms, p99 %.1f ms", lab.MS(lab.Quantile(r.latency, 0.5)), lab.MS(lab.Quantile(r.latency, 0.99)))
	if !r.sick {
		return "without the two: " + text
	}
	return fmt.Sprintf("with the two:    %s; the dead one was tried %d times in %.0f s, the slow one %d times; after their recovery all had arrived within %.1f s",
		text, len(r.deadTries), r.sickFor.Seconds(), len(r.slowTries), r.recovery.Seconds())
}
