package board_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/gateway/board"
	"segue/interaction"
)

const sales = `queues: [{name: sales}]`

// command is a command and how long after the one before it is given.
type command struct {
	after         time.Duration
	name, payload string
}

func toQueue(queue string) command { return command{0, "place_in_queue", `{"queue":"` + queue + `"}`} }
func offered(after time.Duration, agent string) command {
	return command{after, "offer", `{"agent":{"id":"` + agent + `"}}`}
}
func accepted(after time.Duration, agent string) command {
	return command{after, "accept", `{"agent":"` + agent + `"}`}
}

func TestFiguresFollowTheInteraction(t *testing.T) {
	cases := map[string]struct {
		channel  interaction.Channel
		commands []command
		sales    board.Queue
		support  board.Queue
	}{
		"nothing": {sales: board.Queue{Name: "sales"}},
		"waiting": {commands: []command{toQueue("sales"), {30 * time.Second, "dtmf", `{"digits":"1"}`}},
			sales: board.Queue{Name: "sales", Waiting: 1, Oldest: 30 * time.Second}},
		"offered": {commands: []command{toQueue("sales"), offered(time.Second, "ann")}, sales: board.Queue{Name: "sales", Offered: 1}},
		"answered in time": {commands: []command{toQueue("sales"), offered(10*time.Second, "ann"), accepted(10*time.Second, "ann")},
			sales: board.Queue{Name: "sales", Handling: 1, Left: 1, InTime: 1}},
		"answered late": {commands: []command{toQueue("sales"), offered(10*time.Second, "ann"), accepted(11*time.Second, "ann")},
			sales: board.Queue{Name: "sales", Handling: 1, Left: 1}},
		"pulled": {commands: []command{toQueue("sales"), accepted(time.Second, "ann")}, sales: board.Queue{Name: "sales", Handling: 1, Left: 1, InTime: 1}},
		"consulting": {commands: []command{toQueue("sales"), accepted(time.Second, "ann"), {time.Second, "consult", `{"to":{"agent":"bob"}}`}},
			sales: board.Queue{Name: "sales", Handling: 1, Left: 1, InTime: 1}},
		"in wrap-up": {commands: []command{toQueue("sales"), accepted(time.Second, "ann"), {time.Second, "disconnect", `{}`}},
			sales: board.Queue{Name: "sales", Left: 1, InTime: 1}},
		"handled": {commands: []command{toQueue("sales"), accepted(time.Second, "ann"), {time.Second, "complete", `{}`}},
			sales: board.Queue{Name: "sales", Handled: 1, Left: 1, InTime: 1}},
		"abandoned": {commands: []command{toQueue("sales"), {time.Second, "abandon", `{}`}}, sales: board.Queue{Name: "sales", Abandoned: 1, Left: 1}},
		"abandoned while it is offered": {commands: []command{toQueue("sales"), offered(0, "ann"), {time.Second, "abandon", `{}`}},
			sales: board.Queue{Name: "sales", Abandoned: 1, Left: 1}},
		"abandoned before any queue": {commands: []command{{time.Second, "abandon", `{}`}}, sales: board.Queue{Name: "sales"}},
		"on to another queue": {commands: []command{toQueue("sales"), {time.Minute, "place_in_queue", `{"queue":"support"}`}, {time.Second, "dtmf", `{"digits":"1"}`}},
			sales: board.Queue{Name: "sales", Left: 1}, support: board.Queue{Name: "support", Waiting: 1, Oldest: time.Second}},
		"answered in another queue": {commands: []command{toQueue("sales"), {time.Minute, "place_in_queue", `{"queue":"support"}`}, accepted(time.Second, "ann")},
			sales: board.Queue{Name: "sales", Left: 1}, support: board.Queue{Name: "support", Handling: 1, Left: 1, InTime: 1}},
		"placed in the same queue again": {commands: []command{toQueue("sales"), {time.Minute, "place_in_queue", `{"queue":"sales"}`}, {time.Second, "dtmf", `{"digits":"1"}`}},
			sales: board.Queue{Name: "sales", Waiting: 1, Oldest: 61 * time.Second}},
		"an offer is rejected": {commands: []command{toQueue("sales"), offered(time.Second, "ann"), {time.Second, "reject", `{"agent":"ann"}`}},
			sales: board.Queue{Name: "sales", Waiting: 1, Oldest: 2 * time.Second}},
		"answered after a rejected offer": {commands: []command{toQueue("sales"), offered(time.Second, "ann"), {15 * time.Second, "reject", `{"agent":"ann"}`}, offered(time.Second, "bob"), accepted(5*time.Second, "bob")},
			sales: board.Queue{Name: "sales", Handling: 1, Left: 1}},
		"transferred to a colleague": {commands: []command{toQueue("sales"), accepted(time.Second, "ann"), {time.Minute, "transfer", `{"to":{"agent":"bob"},"mode":"offer"}`}, accepted(time.Second, "bob")},
			sales: board.Queue{Name: "sales", Handling: 1, Left: 1, InTime: 1}},
		"abandoned while it is transferred": {commands: []command{toQueue("sales"), accepted(time.Second, "ann"), {time.Minute, "transfer", `{"to":{"agent":"bob"},"mode":"offer"}`}, {time.Second, "abandon", `{}`}},
			sales: board.Queue{Name: "sales", Abandoned: 1, Left: 1, InTime: 1}},
		"transferred to a queue": {commands: []command{toQueue("sales"), accepted(time.Second, "ann"), {time.Minute, "transfer", `{"to":{"queue":"sales"}}`}, accepted(time.Second, "bob")},
			sales: board.Queue{Name: "sales", Handling: 1, Left: 2, InTime: 2}},
		"offered without a queue": {commands: []command{offered(0, "ann"), accepted(time.Second, "ann"), {0, "complete", `{}`}}, sales: board.Queue{Name: "sales"}},
		"late data": {commands: []command{toQueue("sales"), accepted(time.Second, "ann"), {time.Second, "complete", `{}`}, {time.Second, "survey", `{"answers":{"score":9}}`}},
			sales: board.Queue{Name: "sales", Handled: 1, Left: 1, InTime: 1}},
		"an email": {channel: interaction.ChannelEmail, commands: []command{toQueue("sales"), accepted(time.Hour/2, "ann")},
			sales: board.Queue{Name: "sales", Handling: 1, Left: 1}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inWorld(t, sales, func(w *world, b *board.Board) {
				channel := c.channel
				if channel == "" {
					channel = interaction.ChannelInbound
				}
				w.start("i1", channel)
				for _, command := range c.commands {
					pass(command.after)
					w.do("i1", command.name, command.payload)
				}
				require.Equal(w.t, c.sales, w.queue(b, "sales"))
				require.Equal(w.t, c.support, w.queue(b, "support"))
			})
		})
	}
}

// handle lets an agent answer and complete an interaction of a queue.
func (w *world) handle(id, queue string) {
	w.start(id, interaction.ChannelInbound)
	w.do(id, "place_in_queue", `{"queue":"`+queue+`"}`)
	w.do(id, "accept", `{"agent":"ann"}`)
	w.do(id, "complete", `{}`)
}

func TestTheWindowMoves(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		for i := range 60 {
			w.handle(fmt.Sprint("i", i), "sales")
			pass(time.Minute)
		}
		require.InDelta(w.t, 60, w.queue(b, "sales").Handled, 1)
		pass(30 * time.Minute)
		require.InDelta(w.t, 30, w.queue(b, "sales").Handled, 1)
		pass(30*time.Minute + time.Minute)
		require.Equal(w.t, board.Queue{Name: "sales"}, w.queue(b, "sales"))
	})
}

func TestAQueueThatIsNotConfiguredGoesWithItsLastFigure(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		w.handle("i1", "support")
		require.Equal(w.t, board.Queue{Name: "support", Handled: 1, Left: 1, InTime: 1}, w.queue(b, "support"))
		require.Len(w.t, b.Queues(cc), 2)
		pass(62 * time.Minute)
		require.Equal(w.t, []board.Queue{{Name: "sales"}}, b.Queues(cc))
		w.handle("i2", "sales")
		synctest.Wait()
		queues, _, _ := b.Sizes()
		require.Equal(w.t, 1, queues, "what is old takes no memory")
	})
}

func TestTheServiceLevelIsConfigured(t *testing.T) {
	inWorld(t, "board: {window: 5m, service_level: 5s}\n"+sales, func(w *world, b *board.Board) {
		w.start("i1", interaction.ChannelInbound)
		w.do("i1", "place_in_queue", `{"queue":"sales"}`)
		pass(6 * time.Second)
		w.do("i1", "accept", `{"agent":"ann"}`)
		require.Equal(w.t, board.Queue{Name: "sales", Handling: 1, Left: 1}, w.queue(b, "sales"), "late for this service level")
		pass(5*time.Minute + 3*time.Second)
		require.Equal(t, board.Queue{Name: "sales", Handling: 1}, w.queue(b, "sales"))
	})
}

func TestAReloadChangesWindowAndQueues(t *testing.T) {
	file := filepath.Join(t.TempDir(), "segue.yaml")
	require.NoError(t, os.WriteFile(file, []byte(sales), 0o600))
	store, err := config.Open(file)
	require.NoError(t, err)
	inWorld(t, sales, func(w *world, _ *board.Board) {
		w.store = store
		b, stop := w.replica()
		defer stop()
		w.handle("i1", "sales")
		pass(10 * time.Minute)
		require.Equal(w.t, 1, w.queue(b, "sales").Handled)
		require.NoError(w.t, os.WriteFile(file, []byte("board: {window: 5m}\nqueues: [{name: sales}, {name: new}]\n"), 0o600))
		_, err := store.Reload(func(*config.Set) error { return nil })
		require.NoError(t, err)
		require.Equal(w.t, []board.Queue{{Name: "new"}, {Name: "sales"}}, b.Queues(cc))
		w.handle("i2", "new")
		require.Equal(w.t, 1, w.queue(b, "new").Handled)
		pass(5*time.Minute + 3*time.Second)
		require.Zero(w.t, w.queue(b, "new").Handled)
	})
}

func TestContactCentersHaveTheirOwnFigures(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		w.handle("i1", "sales")
		require.Equal(w.t, 1, w.queue(b, "sales").Handled)
		require.Equal(w.t, []board.Queue{{Name: "sales"}}, b.Queues("umbrella"))
		require.Empty(w.t, b.Agents("umbrella"))
	})
}

func TestReplicasHaveTheSameFigures(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		for i := range 3 {
			w.handle(fmt.Sprint("early", i), "sales")
			pass(4 * time.Minute)
		}
		other, stop := w.replica()
		defer stop()
		require.Equal(w.t, 3, w.queue(other, "sales").Handled, "the second one has read the stream")
		for i := range 70 {
			w.handle(fmt.Sprint("i", i), "sales")
			pass(59 * time.Second)
			synctest.Wait()
			require.Equal(w.t, b.Queues(cc), other.Queues(cc))
		}
		require.Equal(w.t, b.Agents(cc), other.Agents(cc))
	})
}

func TestSinceIsWhenTheCountsBegin(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		began := time.Now()
		require.WithinDuration(w.t, began, b.Since(), 3*time.Second)
		pass(10 * time.Minute)
		w.handle("i1", "sales")
		first := time.Now()
		synctest.Wait()
		require.WithinDuration(w.t, began, b.Since(), 3*time.Second)
		pass(5 * time.Minute)
		other, stop := w.replica()
		defer stop()
		synctest.Wait()
		require.Equal(w.t, first.UTC(), other.Since().UTC(), "the stream has the change of five minutes ago")
		pass(2 * time.Hour)
		require.Equal(w.t, time.Now().Add(-time.Hour), b.Since())
	})
}

func TestAStreamThatBeginsAgainCountsNothingTwice(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		w.handle("i1", "sales")
		require.Equal(w.t, 1, w.queue(b, "sales").Handled)
		w.stream.Remake()
		pass(5 * time.Second)
		w.handle("i2", "sales")
		require.Equal(w.t, board.Queue{Name: "sales", Handled: 2, Left: 2, InTime: 2}, w.queue(b, "sales"))
	})
}

func TestALostEndIsCountedByItsRepair(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		w.start("i1", interaction.ChannelInbound)
		w.do("i1", "place_in_queue", `{"queue":"sales"}`)
		w.do("i1", "accept", `{"agent":"ann"}`)
		synctest.Wait()
		w.with(func() { w.loses = true })
		w.do("i1", "complete", `{}`)
		w.with(func() { w.loses = false })
		require.Zero(w.t, w.queue(b, "sales").Handled)
		pass(2 * time.Minute)
		require.Equal(w.t, board.Queue{Name: "sales", Handled: 1, Left: 1, InTime: 1}, w.queue(b, "sales"))
		w.do("i1", "survey", `{"answers":{"score":9}}`)
		require.Equal(w.t, 1, w.queue(b, "sales").Handled, "once")
	})
}

func TestAStateThatIsTooLargeForItsNoticeIsQueried(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		w.with(func() { w.strips = true })
		w.handle("i1", "sales")
		pass(time.Second)
		require.Equal(w.t, 1, w.queue(b, "sales").Handled)
		require.Positive(w.t, w.queries)
	})
}

func TestTheQueuesOfAContactCenterAreBounded(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		for i := range board.MaxQueuesOf + 10 {
			w.start(fmt.Sprint("i", i), interaction.ChannelInbound)
			w.do(fmt.Sprint("i", i), "place_in_queue", fmt.Sprintf(`{"queue":"q%d"}`, i))
			w.do(fmt.Sprint("i", i), "abandon", `{}`)
		}
		synctest.Wait()
		queues, _, _ := b.Sizes()
		require.Equal(w.t, board.MaxQueuesOf, queues)
	})
}
