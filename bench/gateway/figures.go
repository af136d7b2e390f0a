package main

import (
	"slices"
	"time"
)

// place is a row of a part's table.
type place struct {
	contender string
	inFlight  int
}

// sent is one command.
type sent struct{ begin, end time.Time }

// cpu is CPU time by process.
type cpu struct{ gateway, worker, server, load time.Duration }

func (c cpu) sub(before cpu) cpu {
	return cpu{c.gateway - before.gateway, c.worker - before.worker, c.server - before.server, c.load - before.load}
}

func (c cpu) add(other cpu) cpu {
	return cpu{c.gateway + other.gateway, c.worker + other.worker, c.server + other.server, c.load + other.load}
}

// figures are what is measured at a place.
type figures struct {
	latencies []time.Duration
	// rates and costs have an element for each round: the commands in a second, and the worker's CPU for one command.
	rates []float64
	costs []float64
	cpu   cpu
}

// figuresOf returns the figures of one round. The rate is that of a time window with constant load.
func figuresOf(all []sent, from, until time.Time) figures {
	var f figures
	inside := 0
	for _, one := range all {
		f.latencies = append(f.latencies, one.end.Sub(one.begin))
		if !one.end.After(until) {
			inside++
		}
	}
	f.rates = []float64{float64(inside) / until.Sub(from).Seconds()}
	return f
}

// add adds those of one round.
func (f *figures) add(round figures) {
	f.latencies = append(f.latencies, round.latencies...)
	f.rates = append(f.rates, round.rates...)
	f.costs = append(f.costs, round.cpu.worker.Seconds()/float64(len(round.latencies)))
	f.cpu = f.cpu.add(round.cpu)
}

// median returns the median; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// ratios divides round by round.
func ratios(of, against []float64) []float64 {
	all := make([]float64, 0, len(of))
	for i := range of {
		if against[i] > 0 {
			all = append(all, of[i]/against[i])
		}
	}
	return all
}
