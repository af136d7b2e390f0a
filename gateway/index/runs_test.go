package index_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

func TestContinueAsNewGoesOn(t *testing.T) {
	run(t, func(b *bench) {
		r := b.reader()
		b.stream.Publish(b.world.start(name("i1")))
		old := b.world.change(name("i1"), "anna", false)
		b.stream.Publish(old)
		b.stream.Publish(b.world.change(name("i1"), "ben", true))
		b.stream.Repeat(old)
		b.stream.Publish(b.world.change(name("i1"), "cleo", false))
		b.converges(time.Second)
		require.Equal(b, []string{"i1.1", "i1.2", "i1.3", "i1.4"}, seen(b.T, r))
		require.Zero(b, b.world.asked())
	})
}

func TestAQueryDecidesAboutAnotherRun(t *testing.T) {
	run(t, func(b *bench) {
		r := b.reader()
		b.stream.Publish(b.world.start(name("i1")))
		b.world.change(name("i1"), "anna", true) // lost with the switch of the run
		b.stream.Publish(b.world.change(name("i1"), "ben", false))
		b.converges(time.Second)
		require.Equal(b, []string{"i1.1", "(2-2)i1.3"}, seen(b.T, r))
		require.Positive(b, b.world.asked())
	})
}

func TestAReopenedInteractionCountsFromOne(t *testing.T) {
	run(t, func(b *bench) {
		r := b.reader()
		b.stream.Publish(b.world.start(name("i1")))
		b.stream.Publish(b.world.change(name("i1"), "anna", false))
		b.stream.Publish(b.world.complete(name("i1")))
		first := b.world.start(name("i1"))
		second, third := b.world.change(name("i1"), "ben", false), b.world.change(name("i1"), "cleo", false)
		fourth := b.world.change(name("i1"), "dora", false) // as if it were the next of the run before
		for _, n := range []*contract.Notice{fourth, second, first, third} {
			b.stream.Publish(n)
		}
		b.converges(time.Second)
		require.Equal(b, []string{"i1.1", "i1.2", "i1.3", "i1.1", "i1.2", "i1.3", "i1.4"}, seen(b.T, r))
	})
}

func TestAResetGoesBackwards(t *testing.T) {
	run(t, func(b *bench) {
		r := b.reader()
		b.stream.Publish(b.world.start(name("i1")))
		for range 5 {
			b.stream.Publish(b.world.change(name("i1"), "anna", false))
		}
		straggler := b.world.change(name("i1"), "anna", false)
		b.stream.Publish(b.world.reset(name("i1"), 2))
		b.converges(time.Second)
		b.stream.Publish(straggler)
		b.converges(time.Second)
		require.Equal(b, []string{"i1.1", "i1.2", "i1.3", "i1.4", "i1.5", "i1.6", "i1.3"}, seen(b.T, r))
	})
}
