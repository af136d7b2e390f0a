package notify_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// offer starts an interaction and offers it to ada.
func (b *bench) offer(id string) {
	b.publish(b.world.Start(id, callToSales), b.world.Must(id, "offer", `{"agent":"ada"}`))
}

func TestASessionAfterALostOneGetsThePresentStateAndTheEnds(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		former := b.desktop(t, "ada", "", all...)
		for _, id := range []string{"present", "unacked", "ended", "given", "early"} {
			b.offer(id)
		}
		b.publish(b.world.Must("early", "disconnect", `{}`))
		time.Sleep(3 * time.Minute / 5)
		former.poll()
		for range 3 {
			time.Sleep(55 * time.Second)
			former.poll()
		}
		b.publish(b.world.Must("unacked", "reject", `{"agent":"ada"}`)) // sent, and never read
		former.lose()
		b.publish(b.world.Must("present", "accept", `{"agent":"ada"}`))
		b.publish(b.world.Must("ended", "accept", `{"agent":"ada"}`), b.world.Must("ended", "complete", `{}`))
		b.publish(b.world.Must("given", "accept", `{"agent":"ada"}`), b.world.Must("given", "transfer", `{"mode":"single_step","to":{"agent":"ben"}}`))
		b.offer("unseen")
		b.publish(b.world.Must("unseen", "reject", `{"agent":"ada"}`))
		b.offer("new")
		time.Sleep(10 * time.Minute)

		next := b.desktop(t, "ada", former.browser)
		require.Equal(t, []string{
			"interactions StatusChange present Established", "interactions StatusChange new Ringing",
			"interactions StatusChange unacked Released", "interactions StatusChange ended Released", "interactions StatusChange given Released",
		}, brief(next.subscribe("/v2/me/interactions", "/v2/me/chats")))
		require.Empty(t, next.subscribe("/v2/me/interactions"))
		b.publish(b.world.Must("new", "reject", `{"agent":"ada"}`))
		require.Equal(t, []string{"interactions StatusChange new Released"}, brief(next.poll()))
		require.Equal(t, []string{
			"calls StatusChange present Established",
			"calls StatusChange unacked Released", "calls StatusChange ended Released", "calls StatusChange given Released",
		}, brief(next.subscribe("/**")), "each topic once; of a topic that it did not have, the session has not seen new")
	})
}

func TestFreshSessionsGetNothingAtFirst(t *testing.T) {
	for name, test := range map[string]func(b *bench, former *desktop) (agent, browser string){
		"another browser": func(_ *bench, former *desktop) (string, string) { former.lose(); return "ada", "other" },
		"no browser":      func(_ *bench, former *desktop) (string, string) { former.lose(); return "ada", "" },
		"another agent":   func(_ *bench, former *desktop) (string, string) { former.lose(); return "ben", former.browser },
		"another center": func(_ *bench, former *desktop) (string, string) {
			former.lose()
			return "elsewhere/ada", former.browser
		},
		"disconnected": func(_ *bench, former *desktop) (string, string) {
			former.disconnect()
			return "ada", former.browser
		},
		"still there": func(_ *bench, former *desktop) (string, string) { return "ada", former.browser },
		"too late": func(_ *bench, former *desktop) (string, string) {
			former.lose()
			time.Sleep(15*time.Minute + time.Second)
			return "ada", former.browser
		},
		"followed already": func(b *bench, former *desktop) (string, string) {
			former.lose()
			b.desktop(former.t, "ada", former.browser).subscribe("/**")
			return "ada", former.browser
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, nil, func(t *testing.T, b *bench) {
				former := b.desktop(t, "ada", "", all...)
				b.offer("i1")
				agent, browser := test(b, former)
				require.Empty(t, b.desktop(t, agent, browser).subscribe("/**"))
			})
		})
	}
}

func TestWhatALostFollowerHadIsNotLost(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		first := b.desktop(t, "ada", "", all...)
		b.offer("i1")
		first.poll()
		first.lose()
		b.publish(b.world.Must("i1", "disconnect", `{}`))
		time.Sleep(5 * time.Minute)
		second := b.desktop(t, "ada", first.browser)
		second.post(fmt.Sprintf(`[{"channel":"/meta/subscribe","clientId":%q,"subscription":"/v2/me/calls"}]`, second.id)) // its answer is lost
		second.lose()
		require.Equal(t, []string{"calls StatusChange i1 Released", "interactions StatusChange i1 Released"},
			brief(b.desktop(t, "ada", first.browser).subscribe("/**")))
	})
}

// The client showed that it has the end: it connected again. What it may lack is sent alone.
func TestAnEndThatTheClientHasIsNotRepeated(t *testing.T) {
	for name, ext := range map[string]string{"acknowledged": `"ext":{"ack":true},`, "connected": ""} {
		t.Run(name, func(t *testing.T) {
			run(t, nil, func(t *testing.T, b *bench) {
				former := b.desktop(t, "ada", "")
				former.open(ext)
				former.subscribe(all...)
				b.offer("had")
				b.offer("lacked")
				b.publish(b.world.Must("had", "disconnect", `{}`))
				require.Contains(t, brief(former.poll()), "calls StatusChange had Released")
				b.publish(b.world.Must("lacked", "disconnect", `{}`))
				former.connect() // its answer is lost
				former.lose()
				require.Equal(t, []string{"calls StatusChange lacked Released"}, brief(b.desktop(t, "ada", former.browser).subscribe("/v2/me/calls")))
			})
		})
	}
}

func TestWhatAFollowerHasIsNotRepeated(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		first := b.desktop(t, "ada", "", all...)
		b.offer("i1")
		first.poll()
		first.lose()
		b.publish(b.world.Must("i1", "disconnect", `{}`))
		second := b.desktop(t, "ada", first.browser)
		require.Len(t, second.subscribe(all...), 2)
		second.lose()
		require.Empty(t, b.desktop(t, "ada", first.browser).subscribe(all...))
	})
}

// A client may say that it connects later; its session lives as long.
func TestAnEndBeforeALongIntervalIsNotLost(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		former := b.desktop(t, "ada", "", all...)
		b.offer("i1")
		former.poll()
		former.post(fmt.Sprintf(
			`[{"channel":"/meta/connect","clientId":%q,"connectionType":"long-polling","advice":{"timeout":0,"interval":300000}}]`, former.id))
		b.publish(b.world.Must("i1", "disconnect", `{}`))
		time.Sleep(6 * time.Minute)
		former.lose()
		require.Equal(t, []string{"calls StatusChange i1 Released"}, brief(b.desktop(t, "ada", former.browser).subscribe("/v2/me/calls")))
	})
}

func TestAnInteractionThatComesBackIsPresentAlone(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		former := b.desktop(t, "ada", "", all...)
		b.offer("i1")
		former.lose()
		b.publish(b.world.Must("i1", "reject", `{"agent":"ada"}`))
		b.publish(b.world.Must("i1", "offer", `{"agent":"ada"}`))
		require.Equal(t, []string{"calls StatusChange i1 Ringing"}, brief(b.desktop(t, "ada", former.browser).subscribe("/v2/me/calls")))
	})
}

func TestLostSessionsAreBounded(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		former := b.desktop(t, "ada", "", all...)
		for i := range 250 {
			b.offer(fmt.Sprint("i", i))
		}
		former.poll()
		for range 12 {
			b.desktop(t, "ada", "", all...)
		}
		time.Sleep(50 * time.Second)
		former.poll()
		for i := range 250 {
			b.publish(b.world.Must(fmt.Sprint("i", i), "disconnect", `{}`))
		}
		former.lose()
		_, lost, _ := b.notifier.Counts()
		require.Equal(t, 10, lost)
		messages := b.desktop(t, "ada", former.browser).subscribe("/v2/me/calls")
		require.Len(t, messages, 200)
		require.Equal(t, "i249", messages[199].data.Call.ID)
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		sessions, lost, _ := b.notifier.Counts()
		require.Zero(t, lost)
		require.Zero(t, sessions)
	})
}

// What a session gets for a lost one is more than may wait for a session. If that ended the session, the
// next one would end of it, too, and so on.
func TestAnAgentWithManyInteractionsComesBack(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		former := b.desktop(t, "ada", "", all...)
		for i := range 2000 {
			b.offer(fmt.Sprint("i", i))
			if i%100 == 0 {
				former.poll()
			}
		}
		former.lose()
		next := b.desktop(t, "ada", former.browser)
		_, messages := next.post(fmt.Sprintf(`[{"channel":"/meta/subscribe","clientId":%q,"subscription":"/**"}]`, next.id))
		b.publish(b.world.Must("i0", "accept", `{"agent":"ada"}`)) // while most of it waits
		messages = append(messages, next.poll()...)
		require.Len(t, messages, 2*2000+2)
		require.Equal(t, []string{"calls StatusChange i0 Established", "interactions StatusChange i0 Established"}, brief(messages[4000:]))
		b.publish(b.world.Must("i1", "accept", `{"agent":"ada"}`))
		require.Len(t, next.poll(), 2, "the session lives")
	})
}
