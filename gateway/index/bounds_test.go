package index_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/bus/bustest"
	"segue/client"
	"segue/contract"
	"segue/gateway/index"
)

// small runs a test with an index that keeps few notices in memory.
func small(t *testing.T, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, world: newWorld(), stream: bustest.New()}
		b.index = b.start(index.Options{StreamBytes: 100 << 10})
		synctest.Wait()
		test(b)
	})
}

func TestASlowReaderIsServedFromTheStream(t *testing.T) {
	small(t, func(b *bench) {
		slow, fast := b.reader(), b.reader()
		b.stream.Publish(b.world.start(name("i1")))
		for revision := range 1000 {
			n := b.world.change(name("i1"), "anna", false)
			if revision%100 == 50 { // the order of two is wrong
				b.stream.Publish(b.world.change(name("i1"), "anna", false))
			}
			b.stream.Publish(n)
		}
		synctest.Wait()
		before := b.stream.Readers()
		require.Less(b, b.index.Stats().StreamBytes, int64(110<<10))
		require.Len(b, seen(b.T, fast), 1011)
		require.Greater(b, b.stream.Readers(), before)
		for revision := int64(1); revision <= 1011; revision++ {
			c, err := slow.Next(context.Background(), nil)
			require.NoError(b, err)
			require.Equal(b, revision, c.Notice.Revision)
			require.NotNil(b, c.Notice.State)
		}
		require.Equal(b, b.index.End(), slow.Position())
	})
}

func TestAReaderBehindTheStreamIsResynced(t *testing.T) {
	small(t, func(b *bench) {
		r, at := b.reader(), b.index.End()
		b.stream.Publish(b.world.start(name("i1")))
		for range 1000 {
			b.stream.Publish(b.world.change(name("i1"), "anna", false))
		}
		synctest.Wait()
		b.stream.Expire(500)
		_, err := r.Next(context.Background(), nil)
		require.ErrorIs(b, err, index.ErrResync)
		require.EqualValues(b, 1, b.index.Stats().Resyncs)

		time.Sleep(bus.MaxAge + time.Second)
		b.stream.Publish(b.world.change(name("i1"), "ben", false))
		synctest.Wait()
		_, err = b.index.ReadFrom(context.Background(), at)
		require.ErrorIs(b, err, index.ErrResync, "older than the stream keeps messages")
		_, err = b.index.ReadFrom(context.Background(), b.index.End())
		require.NoError(b, err)
	})
}

func TestAReaderThatHasReadAllGoesOnHoweverLongItIsQuiet(t *testing.T) {
	run(t, func(b *bench) {
		b.stream.Publish(b.world.start(name("i1")))
		synctest.Wait()
		at := b.index.End()
		time.Sleep(time.Hour)
		r, err := b.index.ReadFrom(context.Background(), at)
		require.NoError(b, err)
		b.stream.Publish(b.world.change(name("i1"), "anna", false))
		require.Equal(b, []string{"i1.2"}, seen(b.T, r))
	})
}

func TestEndedInteractionsAreForgotten(t *testing.T) {
	run(t, func(b *bench) {
		for n := range 100 {
			id := name(fmt.Sprint("i", n))
			b.stream.Publish(b.world.start(id))
			b.stream.Publish(b.world.complete(id))
		}
		synctest.Wait()
		require.Equal(b, 100, b.index.Stats().Remembered)
		time.Sleep(20 * time.Minute)
		require.Zero(b, b.index.Stats().Remembered)
	})
}

func TestTwentyThousandInteractions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 20_000
		b := &bench{T: t, world: newWorld(), stream: bustest.New()}
		for n := range many {
			b.world.start(name(fmt.Sprint("i", n)))
			b.world.change(name(fmt.Sprint("i", n)), fmt.Sprint("agent", n%1000), false)
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.index = b.start(index.Options{})
		began := time.Now()
		for !b.index.Health().Complete {
			time.Sleep(time.Second)
			require.Less(t, time.Since(began), 20*time.Minute)
		}
		require.GreaterOrEqual(t, time.Since(began), many/200*time.Second-5*time.Second, "not more than 200 queries a second")
		require.LessOrEqual(t, b.world.atOnce(), 10)
		require.Len(t, b.index.List("cc", nil), many)
		require.Len(t, b.index.OfAgent("cc", "agent7"), many/1000)
		for n := range many {
			b.stream.Publish(b.world.change(name(fmt.Sprint("i", n)), "busy", false))
		}
		b.index.Catch(context.Background())
		require.Len(t, b.index.OfAgent("cc", "busy"), many)
		require.Equal(t, b.world.open(), has(b.index))
		runtime.GC()
		runtime.GC() // what pools kept over the first
		runtime.ReadMemStats(&after)
		require.Less(t, (after.HeapAlloc-before.HeapAlloc)>>20, uint64(400), "MiB, with those of the fakes")
	})
}

func TestAStateTooLargeForANoticeIsQueried(t *testing.T) {
	run(t, func(b *bench) {
		n := b.world.start(name("i1"))
		n.State = nil
		b.stream.Publish(n)
		b.converges(time.Second)
	})
}

// What an agent was notified of is in the lists, also if its state is on its way. One that does not answer delays
// them for a while alone.
func TestListsWaitForAStateTooLargeForANotice(t *testing.T) {
	run(t, func(b *bench) {
		b.stream.Publish(b.world.start(name("i1")))
		b.world.with(func() { b.world.queryTakes = 100 * time.Millisecond })
		for range 3 {
			for range 2 {
				n := b.world.change(name("i1"), "anna", false)
				n.State = nil
				b.stream.Publish(n)
			}
			began := time.Now()
			b.index.Catch(context.Background())
			require.Equal(b, b.world.open(), has(b.index))
			require.Less(b, time.Since(began), 400*time.Millisecond)
		}
		silent := b.world.start(name("silent"))
		silent.State = nil
		b.stream.Publish(silent)
		for second, longest := range []time.Duration{500 * time.Millisecond, 500 * time.Millisecond, 500 * time.Millisecond, 0} {
			began := time.Now()
			b.index.Catch(context.Background())
			require.LessOrEqual(b, time.Since(began), longest, "after %d s", second)
			time.Sleep(time.Second)
		}
	})
}

func TestANoticeThatCannotBeReadIsHealed(t *testing.T) {
	run(t, func(b *bench) {
		r := b.reader()
		b.stream.Publish(b.world.start(name("i1")))
		b.world.change(name("i1"), "anna", false)
		b.stream.Publish(&contract.Notice{ContactCenter: "cc", Interaction: "i1"})
		b.converges(2 * time.Second)
		require.Equal(b, []string{"i1.1", "(2-2)i1.2"}, seen(b.T, r))
	})
}

func TestOneInteractionThatCannotAnswerDoesNotKeepAReplicaFromBeingReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, world: newWorld(), stream: bustest.New()}
		b.world.start(name("i1"))
		b.world.start(name("stuck"))
		b.world.stuck = name("stuck").WorkflowID()
		b.index = b.start(index.Options{})
		time.Sleep(30 * time.Second)
		require.True(t, b.index.Health().Complete)
		require.Len(t, b.index.List("cc", nil), 1)
		b.world.with(func() { b.world.stuck = "" })
		b.converges(time.Minute)
	})
}

func TestInteractionsThatDoNotAnswerDelayNobody(t *testing.T) {
	run(t, func(b *bench) {
		for n := range 100 {
			silent := b.world.start(name(fmt.Sprint("silent", n)))
			silent.State = nil
			b.stream.Publish(silent)
		}
		b.stream.Publish(b.world.start(name("i1")))
		time.Sleep(3 * time.Minute)
		for range 20 {
			n := b.world.change(name("i1"), "anna", false)
			began := time.Now()
			b.index.Await(context.Background(), name("i1"), n.RunID, n.Revision)
			require.Less(b, time.Since(began), 400*time.Millisecond)
			time.Sleep(700 * time.Millisecond)
		}
	})
}

func (b *bench) start(o index.Options) *index.Index {
	o.Client, o.Bus = &client.Client{Temporal: b.world, TaskQueue: "segue"}, b.stream
	x := index.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		require.NoError(b, <-done)
	})
	return x
}
