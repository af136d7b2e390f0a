package board_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/gateway/board"
	"segue/interaction"
)

func TestAnAgentDoesWhatTheLegsDo(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		require.Nil(w.t, w.agent(b, "ann"))
		w.start("i1", interaction.ChannelInbound)
		w.do("i1", "place_in_queue", `{"queue":"sales"}`)
		w.do("i1", "offer", `{"agent":{"id":"ann","name":"Ann"}}`)
		at := time.Now().UTC()
		leg := board.Leg{Interaction: "i1", Channel: "inbound", Queue: "sales", State: "offered", Since: at}
		require.Equal(w.t, &board.Agent{ID: "ann", Name: "Ann", State: "offered", Since: at, Legs: []board.Leg{leg}}, w.agent(b, "ann"))

		pass(5 * time.Second)
		w.do("i1", "accept", `{"agent":"ann"}`)
		leg.State, leg.Role, leg.Since = "handling", "owner", time.Now().UTC()
		require.Equal(w.t, &board.Agent{ID: "ann", Name: "Ann", State: "handling", Since: leg.Since, Legs: []board.Leg{leg}}, w.agent(b, "ann"))

		pass(5 * time.Second)
		w.do("i1", "hold", `{"agent":"ann"}`)
		leg.Held = true
		require.Equal(w.t, []board.Leg{leg}, w.agent(b, "ann").Legs, "still handling since the answer")

		w.do("i1", "retrieve", `{"agent":"ann"}`)
		w.do("i1", "consult", `{"to":{"agent":"bob"}}`)
		require.Equal(w.t, "consulting", w.agent(b, "bob").State)

		pass(5 * time.Second)
		w.do("i1", "leave", `{"agent":"bob"}`)
		left := time.Now().UTC()
		require.Equal(w.t, &board.Agent{ID: "bob", State: board.Idle, Since: left}, w.agent(b, "bob"))

		pass(5 * time.Second)
		w.do("i1", "disconnect", `{}`)
		require.Equal(w.t, "wrap_up", w.agent(b, "ann").State)
		require.Equal(w.t, time.Now().UTC(), w.agent(b, "ann").Since)
		pass(5 * time.Second)
		w.do("i1", "complete", `{}`)
		require.Equal(w.t, &board.Agent{ID: "ann", Name: "Ann", State: board.Idle, Since: time.Now().UTC()}, w.agent(b, "ann"))
		require.Equal(w.t, left, w.agent(b, "bob").Since, "what others do changes nothing")

		pass(61 * time.Minute)
		require.Nil(w.t, w.agent(b, "ann"), "nothing in the window")
		w.handle("i2", "sales")
		synctest.Wait()
		_, agents, _ := b.Sizes()
		require.Equal(w.t, 1, agents, "who is not shown takes no memory")
	})
}

func TestTheMostImportantLegCounts(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		for _, id := range []string{"i1", "i2", "i3"} {
			w.start(id, interaction.ChannelChat)
			w.do(id, "place_in_queue", `{"queue":"sales"}`)
		}
		w.do("i1", "offer", `{"agent":{"id":"ann"}}`)
		pass(time.Second)
		w.do("i2", "accept", `{"agent":"ann"}`)
		first := time.Now().UTC()
		pass(time.Second)
		w.do("i3", "accept", `{"agent":"ann"}`)
		agent := w.agent(b, "ann")
		require.Equal(w.t, "handling", agent.State)
		require.Equal(w.t, first, agent.Since, "of two legs that do the same, since the first")
		require.Len(w.t, agent.Legs, 3)
		require.Equal(w.t, "offered", agent.Legs[0].State)
	})
}

func TestAPreviewIsNoOffer(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		w.start("i1", interaction.ChannelOutbound)
		w.do("i1", "place_in_queue", `{"queue":"sales"}`)
		w.do("i1", "offer", `{"agent":{"id":"ann"},"preview":true}`)
		require.Equal(w.t, "preview", w.agent(b, "ann").State)
	})
}

func TestAgentsWithoutANoticeAreShown(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		w.start("i1", interaction.ChannelInbound)
		w.do("i1", "place_in_queue", `{"queue":"sales"}`)
		w.do("i1", "accept", `{"agent":{"id":"ann","name":"Ann"}}`)
		since := time.Now().UTC()
		require.Equal(w.t, since, w.agent(b, "ann").Since)
		w.stream.Remake()
		other, stop := w.replica()
		defer stop()
		agent := w.agent(other, "ann")
		require.NotNil(w.t, agent, "by a query")
		require.Equal(w.t, "handling", agent.State)
		require.True(w.t, agent.Since.IsZero(), "the stream does not have it")
		require.Equal(w.t, since, w.agent(b, "ann").Since, "this one has seen it")
	})
}

func TestTheAgentsOfAContactCenterAreBounded(t *testing.T) {
	inWorld(t, sales, func(w *world, b *board.Board) {
		w.start("i1", interaction.ChannelInbound)
		for i := range board.MaxAgentsOf + 10 {
			w.do("i1", "offer", fmt.Sprintf(`{"agent":{"id":"a%d"}}`, i))
		}
		synctest.Wait()
		_, agents, _ := b.Sizes()
		require.Equal(w.t, board.MaxAgentsOf, agents)
		last := w.agent(b, fmt.Sprint("a", board.MaxAgentsOf+9))
		require.NotNil(w.t, last, "who has a leg is shown in any case")
		require.Equal(w.t, "offered", last.State)
	})
}
