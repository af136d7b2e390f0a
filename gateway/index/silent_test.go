package index_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus/bustest"
)

// silent runs a test with a replica that starts while no interaction of many answers.
func silent(t *testing.T, many int, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, world: newWorld(), stream: bustest.New()}
		for n := range many {
			b.world.start(name(fmt.Sprint("i", n)))
			b.world.change(name(fmt.Sprint("i", n)), "anna", false)
		}
		b.world.mute = true
		b.index = b.replica()
		test(b)
	})
}

func (b *bench) unmute() { b.world.with(func() { b.world.mute = false }) }

func TestAReplicaBecomesReadyWithoutAWorker(t *testing.T) {
	for _, many := range []int{1, 3, 2000} {
		silent(t, many, func(b *bench) {
			time.Sleep(30 * time.Second)
			require.False(b, b.index.Health().Complete)
			require.Equal(b, []string{fmt.Sprintf("%d open interactions have not answered a query yet", many)}, b.index.Health().Reasons)
			time.Sleep(30 * time.Second)
			require.True(b, b.index.Health().Complete)
			lacks := fmt.Sprintf("%d open interactions do not answer, and lists lack them; is a worker running?", many)
			require.Equal(b, []string{lacks}, b.index.Health().Reasons)
			time.Sleep(5 * time.Minute)
			require.Equal(b, []string{lacks}, b.index.Health().Reasons)

			r := b.reader()
			b.stream.Publish(b.world.change(name("i0"), "ben", false))
			synctest.Wait()
			require.Equal(b, []string{"i0.3"}, seen(b.T, r), "what was before the replica is no gap")
			require.Len(b, b.index.List("cc", nil), 1)

			b.unmute()
			b.converges(2 * time.Minute)
			require.Empty(b, b.index.Health().Reasons)
			require.Equal(b, 1, b.stream.Count(), "what no notice was lost of is not published")
			if many > 1 {
				b.stream.Publish(b.world.change(name("i1"), "ben", false))
				require.Equal(b, []string{"i1.3"}, seen(b.T, r))
			}
		})
	}
}

func TestWhatIsNoLongerOpenIsNotMissed(t *testing.T) {
	silent(t, 2, func(b *bench) {
		time.Sleep(time.Minute)
		b.world.terminate(name("i1"))
		time.Sleep(2 * time.Minute)
		require.Equal(b, []string{"1 open interactions do not answer, and lists lack them; is a worker running?"}, b.index.Health().Reasons)
	})
}

func TestAWorkerThatComesLateIsNotGivenUp(t *testing.T) {
	silent(t, 100, func(b *bench) {
		time.Sleep(29 * time.Second)
		b.unmute()
		b.converges(20 * time.Second)
		require.True(b, b.index.Health().Complete)
		require.Empty(b, b.index.Health().Reasons)
	})
}

// Without Temporal, nobody knows whether a worker runs.
func TestAReplicaDoesNotBecomeReadyWhileTemporalIsAway(t *testing.T) {
	for _, refuses := range []bool{true, false} {
		silent(t, 3, func(b *bench) {
			time.Sleep(10 * time.Second)
			b.world.with(func() { b.world.mute, b.world.down, b.world.hangs = !refuses, true, !refuses })
			time.Sleep(5 * time.Minute)
			require.False(b, b.index.Health().Complete)
			b.world.with(func() { b.world.mute, b.world.down, b.world.hangs = false, false, false })
			b.converges(time.Minute)
			require.True(b, b.index.Health().Complete)
			require.Empty(b, b.index.Health().Reasons)
		})
	}
}

func TestAWorkerThatComesAfterTemporalIsWaitedFor(t *testing.T) {
	silent(t, 3, func(b *bench) {
		time.Sleep(10 * time.Second)
		b.world.with(func() { b.world.mute, b.world.down = false, true })
		time.Sleep(time.Minute)
		b.world.with(func() { b.world.mute, b.world.down = true, false })
		time.Sleep(25 * time.Second)
		require.False(b, b.index.Health().Complete)
		b.unmute()
		b.converges(time.Minute)
		require.Empty(b, b.index.Health().Reasons)
	})
}
