package index_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/client"
	"segue/contract"
	"segue/gateway/index"
)

func TestQueriesAreShared(t *testing.T) {
	run(t, func(b *bench) {
		b.world.start(name("i1"))
		b.world.with(func() { b.world.queryTakes = time.Second })
		began := time.Now()
		answers := make(chan int64, 100)
		ask := func(actor *contract.StateRequest) {
			s, err := b.index.Query(context.Background(), name("i1"), actor)
			require.NoError(b, err)
			answers <- s.Revision
		}
		go ask(nil)
		time.Sleep(500 * time.Millisecond)
		b.world.change(name("i1"), "anna", false)
		for range 50 {
			go ask(nil)
			go ask(&contract.StateRequest{ID: "anna"})
		}
		for range 101 {
			require.EqualValues(b, 2, <-answers)
		}
		require.Equal(b, 3*time.Second, time.Since(began))
		require.Equal(b, 3, b.world.asked())
		require.Equal(b, 1, b.world.atOnce())
		_, err := b.index.Query(context.Background(), name("none"), nil)
		require.ErrorIs(b, err, client.ErrNotFound)
	})
}

func TestReadersKeepTheirPositions(t *testing.T) {
	run(t, func(b *bench) {
		start := b.index.End()
		b.stream.Publish(b.world.start(name("i1")))
		for range 99 {
			b.stream.Publish(b.world.change(name("i1"), "anna", false))
		}
		synctest.Wait()
		other := b.replica()
		synctest.Wait()
		at := start
		for revision := int64(1); revision <= 100; revision++ {
			replica := []*index.Index{b.index, other}[revision%2]
			r, err := replica.ReadFrom(context.Background(), at)
			require.NoError(b, err)
			c, err := r.Next(context.Background(), func(c *index.Change) bool { return c.Notice.Revision >= revision })
			require.NoError(b, err)
			require.Equal(b, revision, c.Notice.Revision)
			at = r.Position()
			require.Equal(b, c.At, at)
		}
		require.Equal(b, b.index.End(), at)
		require.Equal(b, other.End(), at)

		_, err := b.index.ReadFrom(context.Background(), bus.Position{Epoch: "other", Sequence: at.Sequence})
		require.ErrorIs(b, err, index.ErrResync)
		began := time.Now()
		_, err = b.index.ReadFrom(context.Background(), bus.Position{Epoch: at.Epoch, Sequence: 1000})
		require.ErrorIs(b, err, index.ErrResync, "a position that never was")
		require.Equal(b, 2*time.Second, time.Since(began))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r := b.reader()
		_, err = r.Next(ctx, nil)
		require.True(b, errors.Is(err, context.DeadlineExceeded))
	})
}

func TestAReaderBeginsWithANoticeAgain(t *testing.T) {
	run(t, func(b *bench) {
		start := b.index.End()
		first := b.world.start(name("i1"))
		second, third := b.world.change(name("i1"), "anna", false), b.world.change(name("i1"), "ben", false)
		b.stream.Publish(first)
		b.stream.Publish(third) // it waits for the second
		b.stream.Publish(second)
		b.stream.Repeat(second) // a message that is no change
		synctest.Wait()
		r, err := b.index.ReadFrom(context.Background(), start)
		require.NoError(b, err)
		for revision := int64(1); revision <= 3; revision++ {
			c, err := r.Next(context.Background(), nil)
			require.NoError(b, err)
			again, err := b.index.ReadAt(context.Background(), c.At)
			require.NoError(b, err)
			same, err := again.Next(context.Background(), nil)
			require.NoError(b, err)
			require.Equal(b, c, same)
			require.Equal(b, revision, same.Notice.Revision)
			require.Equal(b, int(3-revision), again.Buffered())
			require.False(b, same.Time.IsZero())
		}
		for _, sequence := range []uint64{start.Sequence, start.Sequence + 4, 1000} {
			_, err = b.index.ReadAt(context.Background(), bus.Position{Epoch: start.Epoch, Sequence: sequence})
			require.ErrorIs(b, err, index.ErrResync, "%d is no change", sequence)
		}
	})
}
