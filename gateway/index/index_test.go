package index_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus/bustest"
	"segue/client"
	"segue/contract"
	"segue/gateway/index"
)

// bench is an index between a world and a stream, in a synctest bubble.
type bench struct {
	*testing.T
	world  *world
	stream *bustest.Stream
	index  *index.Index
}

func name(id string) client.Name { return client.Name{ContactCenter: "cc", ID: id} }

// run gives a test a running index, which has been complete since the stream was empty.
func run(t *testing.T, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, world: newWorld(), stream: bustest.New()}
		b.index = b.replica()
		synctest.Wait()
		require.True(t, b.index.Health().Complete)
		test(b)
	})
}

func (b *bench) replica() *index.Index { return b.start(index.Options{}) }

func has(x *index.Index) map[string]string {
	open := map[string]string{}
	for _, e := range x.List("cc", nil) {
		var agents []string
		for _, p := range e.State.Participants {
			agents = append(agents, p.Agent.ID)
		}
		open[e.State.ID] = fmt.Sprint(e.State.RunID, "/", e.State.Revision, "/", agents)
	}
	return open
}

func (b *bench) converges(within time.Duration) {
	b.Helper()
	time.Sleep(within)
	synctest.Wait()
	require.Equal(b, b.world.open(), has(b.index))
}

// seen collects what a reader shows until the stream is quiet: "id.revision", "(from-to)" for a gap.
func seen(t *testing.T, r *index.Reader) []string {
	t.Helper()
	var shown []string
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
		c, err := r.Next(ctx, nil)
		cancel()
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			return shown
		}
		text := fmt.Sprintf("%s.%d", c.Notice.Interaction, c.Notice.Revision)
		if c.Gap != nil {
			text = fmt.Sprintf("(%d-%d)", c.Gap.From, c.Gap.To) + text
		}
		shown = append(shown, text)
	}
}

func (b *bench) reader() *index.Reader {
	b.Helper()
	r, err := b.index.ReadFrom(context.Background(), b.index.End())
	require.NoError(b, err)
	return r
}

func TestNoticesMakeTheLists(t *testing.T) {
	run(t, func(b *bench) {
		b.stream.Publish(b.world.start(name("i1")))
		time.Sleep(time.Second)
		b.stream.Publish(b.world.start(name("i2")))
		b.stream.Publish(b.world.change(name("i1"), "anna", false))
		b.index.Catch(context.Background())
		require.Equal(b, b.world.open(), has(b.index))
		mine := b.index.OfAgent("cc", "anna")
		require.Len(b, mine, 1)
		require.Equal(b, "i1", mine[0].State.ID)
		require.Equal(b, []string{"hold"}, mine[0].CapabilitiesFor["anna"])
		require.Empty(b, b.index.OfAgent("other", "anna"))
		require.Equal(b, "i1", b.index.List("cc", nil)[0].State.ID)

		b.stream.Publish(b.world.complete(name("i1")))
		b.index.Catch(context.Background())
		require.Empty(b, b.index.OfAgent("cc", "anna"))
		_, open := b.index.Get(name("i1"))
		require.False(b, open)
		require.Equal(b, 1, b.index.Health().Open)
		require.Zero(b, b.world.asked(), "the stream alone is enough")
	})
}

func TestANoticeThatComesBeforeItsPredecessorWaitsForIt(t *testing.T) {
	run(t, func(b *bench) {
		r := b.reader()
		first := b.world.start(name("i1"))
		second, third := b.world.change(name("i1"), "anna", false), b.world.change(name("i1"), "ben", false)
		b.stream.Publish(first)
		b.stream.Publish(third)
		b.index.Catch(context.Background())
		require.Len(b, b.index.OfAgent("cc", "ben"), 1, "lists have it at once")
		time.Sleep(249 * time.Millisecond)
		require.Equal(b, []string{"i1.1"}, seen(b.T, r))
		b.stream.Publish(second)
		b.stream.Repeat(second)
		b.stream.Repeat(third)
		synctest.Wait()
		require.Equal(b, []string{"i1.2", "i1.3"}, seen(b.T, r))
		require.Equal(b, b.world.open(), has(b.index))
	})
}

func TestALostNoticeIsAGapAfter250Milliseconds(t *testing.T) {
	run(t, func(b *bench) {
		r := b.reader()
		b.stream.Publish(b.world.start(name("i1")))
		lost := b.world.change(name("i1"), "anna", false)
		b.stream.Publish(b.world.change(name("i1"), "ben", false))
		time.Sleep(251 * time.Millisecond)
		synctest.Wait()
		require.Equal(b, []string{"i1.1", "(2-2)i1.3"}, seen(b.T, r))
		b.stream.Publish(lost)
		synctest.Wait()
		require.Empty(b, seen(b.T, r))
	})
}

func TestAPingHealsALostNoticeOnEveryReplica(t *testing.T) {
	run(t, func(b *bench) {
		other := b.replica()
		synctest.Wait()
		r := b.reader()
		for _, id := range []string{"i1", "i2"} {
			b.stream.Publish(b.world.start(name(id)))
		}
		b.stream.Due(b.world.change(name("i1"), "anna", false)) // its notice is lost
		made := b.world.change(name("i2"), "ben", false)
		b.stream.Publish(made)
		phantom := *made
		phantom.Revision++ // announced and never made
		b.stream.Due(&phantom)
		b.converges(2 * time.Second)
		require.Equal(b, b.world.open(), has(other))
		require.ElementsMatch(b, []string{"i1.1", "i2.1", "i2.2", "(2-2)i1.2"}, seen(b.T, r))
		e, _ := b.index.Get(name("i1"))
		require.Equal(b, []string{"hold"}, e.CapabilitiesFor["anna"])
		require.Equal(b, 4, b.stream.Count(), "both replicas repair, the stream takes one")
	})
}

func TestAnOwnAnswerIsInTheLists(t *testing.T) {
	run(t, func(b *bench) {
		ctx := context.Background()
		b.stream.Publish(b.world.start(name("i1")))
		synctest.Wait()
		r := b.reader()
		await := func(n *contract.Notice) time.Duration {
			began := time.Now()
			b.index.Await(ctx, name("i1"), n.RunID, n.Revision)
			return time.Since(began)
		}
		n := b.world.change(name("i1"), "anna", false)
		time.AfterFunc(100*time.Millisecond, func() { b.stream.Publish(n) })
		require.Equal(b, 100*time.Millisecond, await(n))
		require.Zero(b, await(n))

		n = b.world.change(name("i1"), "ben", true)
		require.Equal(b, 250*time.Millisecond, await(n).Truncate(time.Millisecond))
		require.Len(b, b.index.OfAgent("cc", "ben"), 1)
		time.Sleep(time.Second)
		require.Equal(b, []string{"i1.2", "(3-3)i1.3"}, seen(b.T, r), "streams see it too")

		b.world.with(func() { b.world.down = true })
		require.Equal(b, time.Second, await(b.world.change(name("i1"), "anna", false)))
	})
}

func TestFiveAnswersWithoutNoticesAreReported(t *testing.T) {
	run(t, func(b *bench) {
		b.stream.Publish(b.world.start(name("i1")))
		for range 5 {
			require.Empty(b, b.index.Health().Reasons)
			n := b.world.change(name("i1"), "anna", false)
			b.index.Await(context.Background(), name("i1"), n.RunID, n.Revision)
		}
		require.Contains(b, strings.Join(b.index.Health().Reasons, " "), "5 answers in a row had no notice")
		require.True(b, b.index.Health().Complete)
		n := b.world.change(name("i1"), "anna", false)
		b.stream.Publish(n)
		b.index.Await(context.Background(), name("i1"), n.RunID, n.Revision)
		require.Empty(b, b.index.Health().Reasons)
	})
}

// A worker without a bus sends neither notices nor pings.
func TestAnAnswerWithoutANoticeIsRepaired(t *testing.T) {
	run(t, func(b *bench) {
		b.stream.Publish(b.world.start(name("i1")))
		synctest.Wait()
		r := b.reader()
		for range 5 {
			n := b.world.change(name("i1"), "anna", false)
			began := time.Now()
			b.index.Answered(name("i1"), n.RunID, n.Revision)
			require.Zero(b, time.Since(began))
			b.converges(2 * time.Second)
		}
		require.Contains(b, strings.Join(b.index.Health().Reasons, " "), "5 answers in a row had no notice")
		n := b.world.change(name("i1"), "anna", false)
		b.stream.Publish(n)
		b.index.Answered(name("i1"), n.RunID, n.Revision)
		time.Sleep(time.Second)
		require.Empty(b, b.index.Health().Reasons)
		require.Contains(b, seen(b.T, r), "i1.7", "a notice that comes in time needs no query")
	})
}

func TestListingsFindWhatNoNoticeTells(t *testing.T) {
	run(t, func(b *bench) {
		other := b.replica()
		synctest.Wait()
		b.world.start(name("lost"))
		b.stream.Publish(b.world.start(name("dead")))
		b.stream.Publish(b.world.start(name("done")))
		time.Sleep(30 * time.Second)
		b.world.terminate(name("dead"))
		b.world.complete(name("done"))
		b.converges(2 * time.Minute)
		require.Equal(b, b.world.open(), has(other))
		require.Equal(b, 4, b.stream.Count(), "the end of one and the state of another")
	})
}

func TestVisibilityThatIsLateRemovesNothing(t *testing.T) {
	run(t, func(b *bench) {
		b.world.with(func() { b.world.hideNew = true })
		b.stream.Publish(b.world.start(name("i1")))
		b.converges(5 * time.Minute)
	})
}

func TestAReplicaIsCompleteOnceItHasAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, world: newWorld(), stream: bustest.New()}
		b.world.start(name("quiet"))
		b.stream.Publish(b.world.start(name("told")))
		b.world.down = true
		b.index = b.replica()
		time.Sleep(30 * time.Second)
		require.False(t, b.index.Health().Complete)
		require.NotEmpty(t, b.index.Health().Reasons)
		b.world.with(func() { b.world.down = false })
		b.converges(30 * time.Second)
		require.True(t, b.index.Health().Complete)
		require.Empty(t, b.index.Health().Reasons)
		require.Equal(t, 1, b.stream.Count(), "what no notice was lost of is not published")

		r := b.reader()
		b.stream.Publish(b.world.change(name("quiet"), "anna", false))
		require.Equal(t, []string{"quiet.2"}, seen(b.T, r))
	})
}

// A list of a ready replica waits for what the stream has, at most 500 ms: a reader that begins later
// than that would leave it out.
func TestAReplicaIsCompleteOnceItReadsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, world: newWorld(), stream: bustest.New()}
		b.stream.SetBeginTakes(3 * time.Second)
		b.index = b.replica()
		time.Sleep(2999 * time.Millisecond)
		synctest.Wait()
		require.False(t, b.index.Health().Complete)
		b.stream.Publish(b.world.start(name("i1")))
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.True(t, b.index.Health().Complete)
		require.Equal(t, b.world.open(), has(b.index))

		// A lost stream is read again; the replica stays ready.
		b.stream.Remake()
		time.Sleep(time.Second)
		require.True(t, b.index.Health().Complete)
		b.converges(time.Minute)
	})
}

func TestWithoutTheBusListsGoOn(t *testing.T) {
	run(t, func(b *bench) {
		b.stream.Publish(b.world.start(name("i1")))
		synctest.Wait()
		b.stream.SetAway(true)
		b.world.start(name("i2"))
		b.converges(10 * time.Second)
		require.True(b, b.index.Health().Complete)
		require.Len(b, b.index.Health().Reasons, 1)
		n := b.world.change(name("i1"), "anna", false)
		b.index.Await(context.Background(), name("i1"), n.RunID, n.Revision)
		require.Len(b, b.index.OfAgent("cc", "anna"), 1)
		r := b.reader()
		b.stream.SetAway(false)
		b.converges(time.Minute)
		require.Empty(b, b.index.Health().Reasons)
		require.ElementsMatch(b, []string{"(1-1)i2.1", "(2-2)i1.2"}, seen(b.T, r))
	})
}

func TestALostStreamIsReadFromItsBeginning(t *testing.T) {
	run(t, func(b *bench) {
		b.stream.Publish(b.world.start(name("i1")))
		b.stream.Publish(b.world.start(name("i2")))
		synctest.Wait()
		r := b.reader()
		end := b.index.End()
		b.stream.Remake()
		b.world.change(name("i1"), "anna", false) // lost with the stream, its ping too
		b.stream.Publish(b.world.change(name("i2"), "ben", false))
		b.converges(time.Minute)
		_, err := r.Next(context.Background(), nil)
		require.ErrorIs(b, err, index.ErrResync)
		_, err = b.index.ReadFrom(context.Background(), end)
		require.ErrorIs(b, err, index.ErrResync)
		require.NotEqual(b, end.Epoch, b.index.End().Epoch)
	})
}
