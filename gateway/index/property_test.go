package index_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/bus"
	"segue/bus/bustest"
	"segue/client"
	"segue/contract"
	"segue/gateway/index"
)

// deed is one thing that happens to an interaction, and to the notice of it.
type deed struct {
	id     string
	do     string
	notice string
	delay  time.Duration
	pause  time.Duration
	// outage is how long Temporal answers nothing after it; away how long the bus is away.
	outage, away time.Duration
}

func deeds() *rapid.Generator[deed] {
	return rapid.Custom(func(t *rapid.T) deed {
		d := deed{
			id:     rapid.SampledFrom([]string{"i1", "i2", "i3"}).Draw(t, "id"),
			do:     rapid.SampledFrom([]string{"change", "change", "change", "change", "renew", "complete", "reset", "terminate"}).Draw(t, "do"),
			notice: rapid.SampledFrom([]string{"sent", "sent", "sent", "lost", "twice", "late", "late"}).Draw(t, "notice"),
			delay:  time.Duration(rapid.IntRange(0, 700).Draw(t, "delay")) * time.Millisecond,
			pause:  time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 50, 300, 2000}).Draw(t, "pause")) * time.Millisecond,
		}
		switch rapid.IntRange(0, 30).Draw(t, "trouble") {
		case 0:
			d.outage = 3 * time.Second
		case 1:
			d.away = 3 * time.Second
		}
		return d
	})
}

// agreed are the rules of a live stream, checked as it is read.
type agreed struct {
	last map[string]*contract.Notice
}

func (a *agreed) check(c *index.Change) error {
	n := c.Notice
	id := n.Interaction
	last := a.last[id]
	a.last[id] = n
	from := n.Revision
	if c.Gap != nil {
		from = c.Gap.From
		if to := c.Gap.To; to < from || to > n.Revision || to == n.Revision && n.Command != "repair" {
			return fmt.Errorf("%s.%d: gap %+v", id, n.Revision, *c.Gap)
		}
	}
	switch {
	case n.Command == "repair" && (c.Gap == nil || c.Gap.To != n.Revision):
		return fmt.Errorf("%s.%d is repaired without a gap", id, n.Revision)
	case last == nil || n.RunID != last.RunID && n.FirstRunID == n.RunID:
		if from != 1 {
			return fmt.Errorf("%s of %s begins at %d", id, n.RunID, from)
		}
	case n.RunID < last.RunID:
		return fmt.Errorf("%s: %s after %s", id, n.RunID, last.RunID)
	case n.RunID == last.RunID && from != last.Revision+1:
		return fmt.Errorf("%s of %s: %d after %d", id, n.RunID, from, last.Revision)
	case n.RunID != last.RunID && n.Revision > last.Revision && from != last.Revision+1:
		return fmt.Errorf("%s: %s.%d after %s.%d", id, n.RunID, from, last.RunID, last.Revision)
	}
	return nil
}

// act does a deed, and returns its notice if it has one.
func (w *world) act(d deed) *contract.Notice {
	var t truth
	w.with(func() {
		if known := w.interactions[name(d.id).WorkflowID()]; known != nil {
			t = *known
		}
	})
	switch {
	case !t.running:
		return w.start(name(d.id))
	case d.do == "complete":
		return w.complete(name(d.id))
	case d.do == "reset":
		return w.reset(name(d.id), max(1, t.rev/2))
	case d.do == "terminate":
		w.terminate(name(d.id))
		return nil
	}
	return w.change(name(d.id), []string{"anna", "ben"}[t.rev%2], d.do == "renew")
}

// play performs deeds on two replicas. It returns an error if a replica does not end with the truth
// or a stream breaks a rule.
func play(b *bench, plan []deed) error {
	other := b.replica()
	synctest.Wait()
	ctx, stop := context.WithCancel(context.Background())
	steady := make(chan error, 1)
	r := b.reader()
	go func() { steady <- follow(ctx, r) }()
	returning := make(chan error, 1)
	start := other.End()
	go func() { returning <- comeAndGo(ctx, other, start) }()
	for _, d := range plan {
		b.perform(d)
		time.Sleep(d.pause)
	}
	time.Sleep(4 * time.Minute)
	synctest.Wait()
	stop()
	err := errors.Join(<-steady, <-returning)
	for i, x := range []*index.Index{b.index, other} {
		if got, truth := has(x), b.world.open(); fmt.Sprint(got) != fmt.Sprint(truth) {
			err = errors.Join(err, fmt.Errorf("replica %d has %v, the truth is %v", i, got, truth))
		}
		if s := x.Stats(); s.Waiting != 0 || s.Queued != 0 {
			err = errors.Join(err, fmt.Errorf("replica %d is not idle: %+v", i, s))
		}
	}
	return err
}

func follow(ctx context.Context, r *index.Reader) error {
	a := &agreed{last: map[string]*contract.Notice{}}
	for {
		c, err := r.Next(ctx, nil)
		if err == nil {
			err = a.check(c)
		}
		if err != nil {
			return err
		}
	}
}

// comeAndGo reads with one reader after the other, each from the position of the one before.
func comeAndGo(ctx context.Context, x *index.Index, at bus.Position) error {
	a := &agreed{last: map[string]*contract.Notice{}}
	for turn := 0; ; turn++ {
		r, err := x.ReadFrom(ctx, at)
		for n := 0; err == nil && n < 1+turn%3; n++ {
			var c *index.Change
			if c, err = r.Next(ctx, nil); err == nil {
				err = a.check(c)
			}
			at = r.Position()
		}
		if err != nil {
			return err
		}
	}
}

func (b *bench) perform(d deed) {
	if d.outage > 0 {
		b.world.with(func() { b.world.down = true })
		time.AfterFunc(d.outage, func() { b.world.with(func() { b.world.down = false }) })
	}
	if d.away > 0 {
		b.stream.SetAway(true)
		time.AfterFunc(d.away, func() { b.stream.SetAway(false) })
	}
	n := b.world.act(d)
	if n == nil {
		return
	}
	// A worker pings before each notice, and again for what it could not keep while the bus is away.
	b.announce(n)
	// What a reset has undone must not come later: nothing distinguishes that from continue-as-new
	// if it is the first of its run.
	resets := b.world.resets(name(d.id))
	later := func(publish func(*contract.Notice)) {
		time.AfterFunc(d.delay, func() {
			if b.world.resets(name(d.id)) == resets {
				publish(n)
			}
		})
	}
	switch d.notice {
	case "sent":
		b.stream.Publish(n)
	case "twice":
		b.stream.Publish(n)
		later(b.stream.Repeat)
	case "late":
		later(b.stream.Publish)
	}
}

func (b *bench) announce(n *contract.Notice) {
	if b.stream.Connected() {
		b.stream.Due(n)
		return
	}
	time.AfterFunc(time.Second, func() { b.announce(n) })
}

func TestWhateverHappensToNoticesTheTruthIsShownInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plan := rapid.SliceOfN(deeds(), 1, 40).Draw(rt, "plan")
		var err error
		synctest.Test(t, func(t *testing.T) {
			b := &bench{T: t, world: newWorld(), stream: bustest.New()}
			b.index = b.replica()
			synctest.Wait()
			err = play(b, plan)
		})
		if !errors.Is(err, context.Canceled) {
			rt.Fatal(err)
		}
		for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
			if !errors.Is(e, context.Canceled) {
				rt.Fatal(e)
			}
		}
	})
}

func TestTheRulesOfStreamsFindMistakes(t *testing.T) {
	notice := func(run string, revision int64) *contract.Notice {
		return &contract.Notice{Interaction: "i1", FirstRunID: "run-1", RunID: run, Revision: revision}
	}
	gap := &index.Gap{Interaction: client.Name{ID: "i1"}, From: 2, To: 2}
	for mistake, changes := range map[string][]*index.Change{
		"twice":    {{Notice: notice("run-1", 1)}, {Notice: notice("run-1", 1)}},
		"missing":  {{Notice: notice("run-1", 1)}, {Notice: notice("run-1", 3)}},
		"old run":  {{Notice: notice("run-1", 1)}, {Notice: notice("run-2", 2)}, {Notice: notice("run-1", 3)}},
		"bad gap":  {{Notice: notice("run-1", 1)}, {Notice: notice("run-1", 4), Gap: gap}, {Notice: notice("run-1", 4)}},
		"no begin": {{Notice: notice("run-1", 2)}},
	} {
		a := &agreed{last: map[string]*contract.Notice{}}
		var err error
		for _, c := range changes {
			err = errors.Join(err, a.check(c))
		}
		require.Error(t, err, mistake)
	}
}
