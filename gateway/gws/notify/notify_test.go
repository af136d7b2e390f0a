package notify_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/gateway/index/indextest"
)

var all = []string{"/**"}

const callToSales = `{"channel":"inbound","queue":"sales"}`

func TestEachNoticeReachesEverySessionOfEachAgentOnce(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada, other := b.desktop(t, "ada", "", all...), b.desktop(t, "ada", "", "/v2/me/interactions/", "/v2/me/calls", "/v2/me/*")
		ben, foreign := b.desktop(t, "ben", "", all...), b.desktop(t, "elsewhere/ada", "", all...)
		b.publish(b.world.Start("i1", callToSales))
		b.publish(b.world.Must("i1", "offer", `{"agent":"ada"}`))
		ringing := []string{"calls StatusChange i1 Ringing", "interactions StatusChange i1 Ringing"}
		require.Equal(t, ringing, brief(ada.poll()))
		require.Equal(t, []string{"calls StatusChange i1 Ringing", "interactions/ StatusChange i1 Ringing"}, brief(other.poll()))
		b.publish(b.world.Must("i1", "accept", `{"agent":"ada","by":{"id":"ada","role":"agent"},"event_id":"gws-nX1-7"}`))
		require.Equal(t, []string{"calls StatusChange i1 Established 7", "interactions StatusChange i1 Established 7"}, brief(ada.poll()))
		require.Empty(t, ben.poll())
		b.publish(b.world.Must("i1", "consult", `{"to":{"agent":"ben"},"by":{"id":"ada","role":"agent"},"event_id":"gws-sX2-c"}`))
		require.Equal(t, []string{
			`calls StatusChange i1 Established "c"`, `calls ParticipantsUpdated i1 Established "c"`,
			`interactions StatusChange i1 Established "c"`, `interactions ParticipantsUpdated i1 Established "c"`,
		}, brief(ada.poll()))
		require.Equal(t, []string{"calls StatusChange i1 Established", "interactions StatusChange i1 Established"}, brief(ben.poll()),
			"the reference is for the agent who sent the request")
		b.publish(b.world.Must("i1", "leave", `{"agent":"ben"}`))
		require.Equal(t, []string{"calls StatusChange i1 Released", "interactions StatusChange i1 Released"}, brief(ben.poll()))
		ada.poll()
		b.publish(b.world.Must("i1", "attach_user_data", `{"user_data":{"a":1}}`))
		require.Equal(t, []string{"calls AttachedDataChanged i1 Established", "interactions AttachedDataChanged i1 Established"}, brief(ada.poll()))
		require.Empty(t, ben.poll())
		require.Empty(t, foreign.poll())
	})
}

func TestWhatASessionMayHave(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		granted := []string{
			"/v2/me", "/v2/me/interactions", "/v2/me/calls", "/v2/me/chats", "/v2/me/emails", "/v2/me/openmedia", "/v2/me/workbins",
			"/v2/me/channels", "/v2/me/devices", "/v2/me/workitems", "/v2/me/outbound", "/notifications/services",
		}
		d := b.desktop(t, "ada", "")
		grants := func(topic string) any {
			replies, _ := d.post(`[{"channel":"/meta/subscribe","clientId":"` + d.id + `","subscription":"` + topic + `"}]`)
			return replies[0]["successful"]
		}
		for _, topic := range granted {
			require.Equal(t, true, grants(topic), topic)
			require.Equal(t, true, grants(topic+"/"), topic)
		}
		for _, wildcard := range []string{"/**", "/v2/**", "/v2/me/*", "/v2/me/**"} {
			require.Equal(t, true, grants(wildcard), wildcard)
		}
		for _, topic := range []string{
			"/v2", "/v2/users", "/*", "/v2/*", "/v2/me/calls/*", "/v2/me/calls/1", "/V2/me", "/notifications/*", "/notifications/**", "/v2/me/nothing",
		} {
			require.Equal(t, false, grants(topic), topic)
		}
		d = b.desktop(t, indextest.Center+"/", "")
		for _, topic := range append(granted, "/**") {
			require.Equal(t, false, grants(topic), topic)
		}
	})
}

func TestAStateThatANoticeLacksIsQueriedWhileOthersGoOn(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", all...)
		b.publish(b.world.Start("large", callToSales), b.world.Start("small", callToSales))
		b.world.SetTakes(time.Second)
		offered := b.world.Must("large", "offer", `{"agent":"ada"}`)
		offered.State = nil
		b.publish(offered, b.world.Must("small", "offer", `{"agent":"ada"}`))
		require.Equal(t, []string{"calls StatusChange small Ringing", "interactions StatusChange small Ringing"}, brief(ada.poll()))
		time.Sleep(5 * time.Second)
		accepted := b.world.Must("large", "accept", `{"agent":"ada","by":{"id":"ada","role":"agent"},"event_id":"gws-nX1-7"}`)
		accepted.State = nil
		b.publish(accepted)
		require.Equal(t, []string{"calls StatusChange large Ringing", "interactions StatusChange large Ringing"}, brief(ada.poll()))
		held := b.world.Must("large", "hold", `{"by":{"id":"ada","role":"agent"},"event_id":"gws-nX1-8"}`)
		b.publish(held) // it waits for its place
		require.Empty(t, ada.poll())
		time.Sleep(5 * time.Second)
		require.Equal(t, []string{
			"calls StatusChange large Established 7", "calls StatusChange large Held 8",
			"interactions StatusChange large Established 7", "interactions StatusChange large Held 8",
		}, brief(ada.poll()))
		retrieved := b.world.Must("large", "retrieve", `{"by":{"id":"ada","role":"agent"},"event_id":"gws-nX1-9"}`)
		retrieved.State = nil
		commented := b.world.Must("large", "set_attributes", `{"comment":"c"}`)
		b.publish(retrieved, commented)
		time.Sleep(5 * time.Second)
		require.Equal(t, []string{
			"calls StatusChange large Established 9", "calls PropertiesUpdated large Established 9",
			"interactions StatusChange large Established 9", "interactions PropertiesUpdated large Established 9",
		}, brief(ada.poll()), "the answer may be later than the notice")
		b.publish(b.world.Must("large", "complete", `{}`))
		require.Equal(t, []string{"calls StatusChange large Released", "interactions StatusChange large Released"}, brief(ada.poll()))
	})
}

func TestALaterStateEndsTheWaitForOneThatCannotBeQueried(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", all...)
		b.publish(b.world.Start("i1", callToSales))
		b.world.SetDown(true)
		offered := b.world.Must("i1", "offer", `{"agent":"ada"}`)
		offered.State = nil
		b.publish(offered)
		time.Sleep(30 * time.Second)
		require.Empty(t, ada.poll())
		b.publish(b.world.Must("i1", "accept", `{"agent":"ada"}`))
		time.Sleep(30 * time.Second)
		require.Equal(t, []string{"calls StatusChange i1 Established", "interactions StatusChange i1 Established"}, brief(ada.poll()))
	})
}

func TestWhatWasOpenAtTheStartIsNotNews(t *testing.T) {
	var offered *contract.Notice
	run(t, func(b *bench) {
		b.world.Start("i1", callToSales)
		offered = b.world.Must("i1", "offer", `{"agent":"ada"}`)
	}, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", all...)
		b.publish(offered) // a notice of what was known
		require.Empty(t, ada.poll())
		b.publish(b.world.Must("i1", "set_attributes", `{"comment":"c"}`))
		require.Equal(t, []string{"calls PropertiesUpdated i1 Ringing", "interactions PropertiesUpdated i1 Ringing"}, brief(ada.poll()))
	})
}

func TestASessionBeforeTheIndexIsCompleteLacksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, stop := begin(func(b *bench) {
			b.world.Start("i1", callToSales)
			b.world.Must("i1", "offer", `{"agent":"ada"}`)
			b.world.SetTakes(3 * time.Second) // so long is the index incomplete
		})
		defer stop()
		ada := b.desktop(t, "ada", "", all...)
		time.Sleep(time.Second)
		b.publish(b.world.Start("i2", callToSales), b.world.Must("i2", "offer", `{"agent":"ada"}`))
		require.False(t, b.notifier.IsReady())
		require.Equal(t, []string{"calls StatusChange i2 Ringing", "interactions StatusChange i2 Ringing"}, brief(ada.poll()))
		for !b.notifier.IsReady() {
			time.Sleep(10 * time.Millisecond)
		}
		require.Equal(t, []string{"calls StatusChange i1 Ringing", "interactions StatusChange i1 Ringing"}, brief(ada.poll()))
	})
}

func TestAfterALostStreamSessionsGetTheDifference(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada, ben := b.desktop(t, "ada", "", all...), b.desktop(t, "ben", "", all...)
		var offered []*contract.Notice
		for _, id := range []string{"goes", "ends", "stay", "move"} {
			offered = append(offered, b.world.Start(id, callToSales), b.world.Must(id, "offer", `{"agent":"ada"}`))
		}
		b.publish(offered...)
		require.Len(t, ada.poll(), 8)
		accepted := b.world.Must("goes", "accept", `{"agent":"ada"}`)
		b.world.Must("goes", "hold", `{}`)
		b.world.Must("ends", "accept", `{"agent":"ada"}`)
		b.world.Must("ends", "complete", `{}`)
		b.world.Must("move", "reject", `{"agent":"ada"}`)
		b.world.Must("move", "offer", `{"agent":"ben"}`)
		b.world.Start("newc", callToSales)
		b.world.Must("newc", "offer", `{"agent":"ben"}`)
		b.stream.Remake()
		b.publish(offered...) // a worker repeats what had no ack
		var ofAda, ofBen []received
		for range 5 {
			time.Sleep(50 * time.Second)
			ofAda, ofBen = append(ofAda, ada.poll()...), append(ofBen, ben.poll()...)
		}
		b.publish(accepted) // late
		ofAda = append(ofAda, ada.poll()...)
		require.ElementsMatch(t, []string{
			"calls StatusChange ends Released", "calls StatusChange goes Held", "calls StatusChange move Released",
			"interactions StatusChange ends Released", "interactions StatusChange goes Held", "interactions StatusChange move Released",
		}, brief(ofAda))
		require.ElementsMatch(t, []string{
			"calls StatusChange move Ringing", "calls StatusChange newc Ringing",
			"interactions StatusChange move Ringing", "interactions StatusChange newc Ringing",
		}, brief(ofBen))
	})
}

func TestADifferenceIsFoundWithoutItsNotice(t *testing.T) {
	var log bytes.Buffer
	run(t, func(b *bench) {
		b.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", all...)
		b.offer("i1")
		b.offer("i2")
		require.Len(t, ada.poll(), 4)
		readings := func() int { return strings.Count(log.String(), "reads the changes again") }
		before := readings()
		b.world.SetDown(true)
		b.stream.Remake()
		// The index has these before the notifier reads again.
		b.publish(b.world.Must("i1", "accept", `{"agent":"ada"}`), b.world.Must("i2", "disconnect", `{}`))
		require.Empty(t, ada.poll())
		time.Sleep(time.Second)
		require.Equal(t, []string{"calls StatusChange i1 Established", "interactions StatusChange i1 Established"}, brief(ada.poll()))
		b.world.SetDown(false)
		time.Sleep(30 * time.Second)
		require.Equal(t, []string{"calls StatusChange i2 Released", "interactions StatusChange i2 Released"}, brief(ada.poll()))
		require.Equal(t, before+1, readings())
	})
}

func TestATerminatedInteractionIsOver(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", all...)
		b.publish(b.world.Start("i1", callToSales), b.world.Must("i1", "offer", `{"agent":"ada"}`), b.world.Must("i1", "accept", `{"agent":"ada"}`))
		require.Len(t, ada.poll(), 4)
		b.world.Terminate("i1")
		var messages []received
		for range 10 {
			time.Sleep(50 * time.Second)
			messages = append(messages, ada.poll()...)
		}
		require.Equal(t, []string{"calls StatusChange i1 Released", "interactions StatusChange i1 Released"}, brief(messages))
	})
}

func TestAResetGoesBackInSessionsToo(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", all...)
		b.publish(b.world.Start("i1", callToSales), b.world.Must("i1", "offer", `{"agent":"ada"}`), b.world.Must("i1", "accept", `{"agent":"ada"}`))
		b.publish(b.world.Must("i1", "hold", `{}`))
		ada.poll()
		require.True(t, b.world.Reset("i1", 2)) // to the offer
		b.publish(b.world.Must("i1", "set_attributes", `{"comment":"again"}`))
		time.Sleep(2 * time.Second)
		require.Contains(t, brief(ada.poll()), "calls StatusChange i1 Ringing")
		b.world.Renew("i1")
		b.publish(b.world.Must("i1", "accept", `{"agent":"ada"}`))
		require.Equal(t, []string{"calls StatusChange i1 Established", "interactions StatusChange i1 Established"}, brief(ada.poll()))
		b.publish(b.world.Must("i1", "complete", `{}`))
		require.Equal(t, []string{"calls StatusChange i1 Released", "interactions StatusChange i1 Released"}, brief(ada.poll()))
		b.publish(b.world.Start("i1", callToSales), b.world.Must("i1", "offer", `{"agent":"ada"}`)) // opened again
		time.Sleep(2 * time.Second)
		require.Equal(t, []string{"calls StatusChange i1 Ringing", "interactions StatusChange i1 Ringing"}, brief(ada.poll()))
	})
}

func TestAStateThatCannotBeShownHoldsUpNobody(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", all...)
		b.publish(b.world.Start("bad", callToSales), b.world.Start("good", callToSales))
		broken := b.world.Must("bad", "offer", `{"agent":"ada"}`)
		broken.State.UserData = map[string]any{"x": make(chan int)}
		b.publish(broken, b.world.Must("good", "offer", `{"agent":"ada"}`))
		require.Contains(t, brief(ada.poll()), "calls StatusChange good Ringing")
		b.publish(b.world.Must("bad", "accept", `{"agent":"ada"}`))
		require.Contains(t, brief(ada.poll()), "calls StatusChange bad Established")
	})
}

// A state that a notice lacks is not to be had, but that of the next notice is there.
func TestAQueryThatFailsHoldsUpNoLaterState(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", all...)
		b.offer("i1")
		ada.poll()
		b.world.SetDown(true)
		accepted := b.world.Must("i1", "accept", `{"agent":"ada"}`)
		accepted.State = nil
		b.publish(accepted)
		time.Sleep(40 * time.Second) // the pauses between queries have grown
		require.Empty(t, ada.poll())
		b.publish(b.world.Must("i1", "hold", `{"by":{"id":"ada","role":"agent"}}`))
		require.Equal(t, []string{"calls StatusChange i1 Held", "interactions StatusChange i1 Held"}, brief(ada.poll()))
	})
}

// The bus is restarted while a state is queried. The changes that wait for it are not forgotten.
func TestWhatWaitsForAStateOutlivesARestartOfTheBus(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", all...)
		b.offer("i1")
		ada.poll()
		b.world.SetTakes(time.Second)
		accepted := b.world.Must("i1", "accept", `{"agent":"ada","by":{"id":"ada","role":"agent"},"event_id":"gws-nX1-7"}`)
		accepted.State = nil
		b.publish(accepted, b.world.Must("i1", "attach_user_data", `{"user_data":{"a":1}}`))
		b.stream.Remake()
		time.Sleep(5 * time.Second)
		require.Equal(t, []string{"calls StatusChange i1 Established 7", "calls AttachedDataChanged i1 Established 7"}, brief(ada.poll())[:2])
	})
}
