package board

import (
	"context"
	"sync"
	"time"

	"segue/client"
	"segue/client/lanes"
	"segue/metrics"
)

const (
	// countEvery is the shortest time between two counts of a contact center. After a long count the
	// time is countRest times its length: all clients share Temporal's visibility.
	countEvery = 3 * time.Second
	countRest  = 4
	// countPage is how many lanes are listed at once, and countPace how many pages all counts list in a
	// second, after a burst of countBurst.
	countPage, countPace, countBurst = 1000, 3, 5
	// countLimit bounds one count.
	countLimit = time.Minute
	// countOld is the age from which on a count is no longer shown.
	countOld = 2 * time.Minute
	// maxCounts bounds the contact centers whose counts are kept.
	maxCounts = 1024
)

// lanesOf are the open lanes of a contact center, by call.
type lanesOf map[string]metrics.Lanes

// count is the last count of a contact center, and when the next one may begin.
type count struct {
	lanes   lanesOf
	at      time.Time // of lanes; zero for none
	next    time.Time
	running chan struct{} // closed when the count that is running has ended; nil for none
}

// counts shares counts of lanes among all callers. A count that is not fresh is shown while the next
// one runs.
type counts struct {
	count func(ctx context.Context, contactCenter string) (lanesOf, error)

	mu      sync.Mutex
	last    map[string]*count
	ctx     context.Context // of run; nil before
	running sync.WaitGroup
}

func (c *counts) init(ask func(context.Context, string) (lanesOf, error)) {
	c.count, c.last = ask, map[string]*count{}
}

// run allows counts until the context ends, and returns when those in flight have ended.
func (c *counts) run(ctx context.Context) error {
	c.mu.Lock()
	c.ctx = ctx
	c.mu.Unlock()
	<-ctx.Done()
	c.mu.Lock()
	c.ctx = nil
	c.mu.Unlock()
	c.running.Wait()
	return ctx.Err()
}

// of returns the count of a contact center, not older than countOld. It waits for the first one until
// the context ends; then, or if it fails, of returns false.
func (c *counts) of(ctx context.Context, contactCenter string) (lanesOf, bool) {
	c.mu.Lock()
	one := c.begin(contactCenter)
	fresh, running := one.fresh(), one.running
	c.mu.Unlock()
	if fresh != nil || running == nil {
		return fresh, fresh != nil
	}
	select {
	case <-running:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh = one.fresh()
	return fresh, fresh != nil
}

func (o *count) fresh() lanesOf {
	if o.at.IsZero() || time.Since(o.at) > countOld {
		return nil
	}
	return o.lanes
}

// begin begins the next count of a contact center, if it may.
func (c *counts) begin(contactCenter string) *count {
	now := time.Now()
	one := c.last[contactCenter]
	if one == nil {
		c.forget(now)
		one = &count{}
		if len(c.last) < maxCounts {
			c.last[contactCenter] = one
		}
	}
	if one.running != nil || now.Before(one.next) || c.ctx == nil {
		return one
	}
	one.running = make(chan struct{})
	ctx := c.ctx
	c.running.Go(func() { c.renew(ctx, contactCenter, one) })
	return one
}

// forget drops counts that are too old to be shown.
func (c *counts) forget(now time.Time) {
	if len(c.last) < maxCounts {
		return
	}
	for name, one := range c.last {
		if one.running == nil && now.Sub(one.at) > countOld {
			delete(c.last, name)
		}
	}
}

func (c *counts) renew(ctx context.Context, contactCenter string, one *count) {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, countLimit)
	defer cancel()
	found, err := c.count(limited, contactCenter)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		one.lanes, one.at = found, began
	}
	one.next = began.Add(max(countEvery, countRest*time.Since(began)))
	close(one.running)
	one.running = nil
}

// countLanes counts the open lanes of a contact center in Temporal's visibility, which cannot count
// them by call, and cannot sum.
func (b *Board) countLanes(ctx context.Context, contactCenter string) (lanesOf, error) {
	found := lanesOf{}
	err := lanes.Walk(ctx, b.list, lanes.Filter{ContactCenter: contactCenter}.Query(), countPage, func(lane client.Listed) {
		if lane.ContactCenter != contactCenter { // whatever the query finds
			return
		}
		sum := found[lane.Call]
		sum.Add(lane.StartedAt, int(lane.Parked))
		found[lane.Call] = sum
	})
	if err != nil {
		b.log.DebugContext(ctx, "Lanes cannot be counted", "error", err)
	}
	return found, err
}

// list lists one page, not more often than the pace allows.
func (b *Board) list(ctx context.Context, query string, size int, page []byte) ([]client.Listed, []byte, error) {
	if err := b.pace.Wait(ctx); err != nil {
		return nil, nil, err
	}
	return b.client.ListPage(ctx, query, size, page)
}
