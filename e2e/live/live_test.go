package live_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/index"
)

func TestAnAgentsListHasWhatTheAgentJustDidOnEitherReplica(t *testing.T) {
	e := newEnv(t)
	n := e.start("i1")
	e.tells.Publish(e.notice(n, "start"))
	for round := range 100 {
		mine, other := e.replicas[round%2], e.replicas[1-round%2]
		notice := e.command(n, "accept", `{"agent":{"id":"anna"}}`)
		e.tells.Publish(notice)
		mine.Await(t.Context(), n, notice.RunID, notice.Revision)
		require.Len(t, mine.OfAgent(e.center, "anna"), 1, "round %d", round)
		other.Catch(t.Context())
		require.Len(t, other.OfAgent(e.center, "anna"), 1, "round %d", round)

		notice = e.command(n, "place_in_queue", `{"queue":"q"}`)
		if round%10 == 5 {
			e.due(notice) // the notice is lost
		} else {
			e.tells.Publish(notice)
		}
		mine.Await(t.Context(), n, notice.RunID, notice.Revision)
		require.Empty(t, mine.OfAgent(e.center, "anna"), "round %d", round)
		if round%10 != 5 {
			other.Catch(t.Context())
			require.Empty(t, other.OfAgent(e.center, "anna"), "round %d", round)
		}
	}
	e.agree(time.Minute, n)
}

func TestALostNoticeHealsWithinTenSeconds(t *testing.T) {
	e := newEnv(t)
	var names []client.Name
	reader, err := e.replicas[0].ReadFrom(t.Context(), e.replicas[0].End())
	require.NoError(t, err)
	for i := range 20 {
		n := e.start(fmt.Sprint("i", i))
		names = append(names, n)
		e.tells.Publish(e.notice(n, "start"))
		e.due(e.command(n, "accept", `{"agent":{"id":"anna"}}`))
		if i%4 == 0 {
			e.due(e.command(n, "complete", `{}`))
		}
	}
	e.agree(time.Minute, names...)
	require.Len(t, e.replicas[1].OfAgent(e.center, "anna"), 15)
	require.NotEmpty(t, e.replicas[1].OfAgent(e.center, "anna")[0].CapabilitiesFor["anna"])
	want := map[string]int64{}
	for _, n := range names {
		s, err := temporal.Client.State(t.Context(), n)
		require.NoError(t, err)
		want[n.ID] = s.Revision
	}
	requireShown(t, reader, want)
}

// requireShown reads until the stream has shown the last revision of each interaction, and requires that none is
// missing without a gap.
func requireShown(t *testing.T, r *index.Reader, want map[string]int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	shown := map[string]int64{}
	for !maps.Equal(shown, want) {
		c, err := r.Next(ctx, nil)
		require.NoError(t, err, "the stream has shown %v of %v", shown, want)
		from := c.Notice.Revision
		if c.Gap != nil {
			from = c.Gap.From
		}
		require.Equal(t, shown[c.Notice.Interaction]+1, from)
		shown[c.Notice.Interaction] = c.Notice.Revision
	}
}

func TestTheBusGoesAwayAndComesBackEmpty(t *testing.T) {
	e := newEnv(t)
	before, changed, unseen := e.start("before"), e.start("changed"), e.start("unseen")
	for _, n := range []client.Name{before, changed, unseen} {
		e.tells.Publish(e.notice(n, "start"))
	}
	e.agree(time.Minute, before, changed, unseen)
	end := e.replicas[0].End()

	e.stopBus()
	for _, x := range e.replicas {
		e.eventually(time.Minute, func() bool { return len(x.Health().Reasons) == 1 && x.Health().Complete })
	}
	during := e.start("during")
	e.tells.Publish(e.notice(during, "start"))
	e.tells.Publish(e.command(changed, "accept", `{"agent":{"id":"anna"}}`))
	own := e.command(unseen, "accept", `{"agent":{"id":"ben"}}`) // its notice and its ping are lost
	e.replicas[0].Await(t.Context(), unseen, own.RunID, own.Revision)
	require.Len(t, e.replicas[0].OfAgent(e.center, "ben"), 1)
	e.eventually(time.Minute, func() bool { return e.open(e.replicas[1])["during"] == 1 })

	e.startBus()
	e.agree(time.Minute, before, changed, unseen, during)
	for _, x := range e.replicas {
		e.eventually(time.Minute, func() bool { return len(x.Health().Reasons) == 0 })
	}
	_, err := e.replicas[0].ReadFrom(t.Context(), end)
	require.ErrorIs(t, err, index.ErrResync)
}

func TestAReplicaThatStartsLaterHasThemAll(t *testing.T) {
	e := newEnv(t)
	quiet, told, ended := e.start("quiet"), e.start("told"), e.start("ended")
	e.tells.Publish(e.notice(told, "start"))
	e.tells.Publish(e.notice(ended, "start"))
	e.tells.Publish(e.command(ended, "abandon", `{}`))
	e.agree(time.Minute, told, ended)
	e.eventually(time.Minute, func() bool { return len(e.open(e.replicas[0])) == 1 })
	var late *index.Index
	e.eventually(time.Minute, func() bool { // visibility may be late
		late = e.replica()
		e.eventually(time.Minute, func() bool { return late.Health().Complete })
		return len(e.open(late)) == 2
	})
	require.Equal(t, e.truth(quiet, told, ended), e.open(late))
}
