package delivery

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// gateWait is how long an attempt waits for its turn before it is sent away:
	// it holds a worker's slot meanwhile.
	gateWait = 2 * time.Second
	// gateRoom is how many may wait for one call at once.
	gateRoom = 100
)

// gate bounds how many attempts of one call are under way in this process. Until
// the receiver is known, it lets one through at a time.
type gate struct {
	mu       sync.Mutex
	capacity int // 0 is unlimited
	known    bool
	running  int
	waiting  []chan struct{} // in order of arrival
	moved    time.Time       // when somebody entered or left last
	turn     time.Duration   // how long it took lately until somebody left a full gate
}

// enter waits for a turn, at most gateWait. On true, leave must be called.
func (g *gate) enter(ctx context.Context) bool {
	g.mu.Lock()
	if len(g.waiting) == 0 && g.hasRoom() {
		g.running++
		g.moved = time.Now()
		g.mu.Unlock()
		return true
	}
	if len(g.waiting) >= g.room() {
		g.mu.Unlock()
		return false
	}
	turn := make(chan struct{})
	g.waiting = append(g.waiting, turn)
	g.mu.Unlock()

	timer := time.NewTimer(gateWait)
	defer timer.Stop()
	select {
	case <-turn:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, turn)
	if i < 0 {
		return true // the turn came at the same instant
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	return false
}

func (g *gate) leave() {
	g.change(func() {
		now := time.Now()
		if !g.hasRoom() {
			g.turn = (3*g.turn + now.Sub(g.moved)) / 4
		}
		g.running--
		g.moved = now
	})
}

// know opens the gate to its full width.
func (g *gate) know() { g.change(func() { g.known = true }) }

func (g *gate) resize(capacity int) { g.change(func() { g.capacity = capacity }) }

// free tells whether an attempt would enter without waiting.
func (g *gate) free() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting) == 0 && g.hasRoom()
}

// hangs tells whether all places are taken and nobody's turn would come in time.
func (g *gate) hangs() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.hasRoom() && g.room() == 0
}

// every is how often somebody leaves a full gate: as of late, or if nobody does, as
// if all of them left by now.
func (g *gate) every() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(g.turn, time.Since(g.moved)/time.Duration(max(g.running, 1)))
}

func (g *gate) change(what func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	what()
	for len(g.waiting) > 0 && g.hasRoom() {
		g.running++
		g.moved = time.Now()
		close(g.waiting[0])
		g.waiting = slices.Delete(g.waiting, 0, 1)
	}
}

func (g *gate) hasRoom() bool {
	if !g.known {
		return g.running == 0
	}
	return g.capacity <= 0 || g.running < g.capacity
}

// room is how many may wait: as many as get their turn in time, if they leave at
// the pace of late. An unknown receiver is known within a moment, however it
// answers: all may wait for that.
func (g *gate) room() int {
	if !g.known {
		return g.running + len(g.waiting) + 1
	}
	pace := max(g.turn, time.Since(g.moved), gateWait/gateRoom)
	return int(gateWait / pace)
}
