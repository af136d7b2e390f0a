package notify_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/gws/notify"
	"segue/gateway/gws/view"
	"segue/gateway/index/indextest"
)

// TestTheEndsOfOneAgentDoNotDisplaceThoseOfOthers: beyond the bound for all, those go of whom most is kept.
func TestTheEndsOfOneAgentDoNotDisplaceThoseOfOthers(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		b.notifier.BoundEnds(100 << 10)
		ada, ben := b.desktop(t, "ada", "", all...), b.desktop(t, "ben", "", all...)
		end := func(id, agent string, size int) {
			b.publish(b.world.Start(id, callToSales), b.world.Must(id, "offer", `{"agent":"`+agent+`"}`))
			b.publish(b.world.Must(id, "attach_user_data", `{"user_data":{"k":"`+strings.Repeat("x", size)+`"}}`))
			b.publish(b.world.Must(id, "disconnect", `{}`))
		}
		end("small", "ben", 1)
		for i := range 20 {
			end(fmt.Sprint("large", i), "ada", 8<<10)
		}
		end("last", "ben", 1)
		for _, d := range []*desktop{ada, ben} {
			d.lose()
		}
		require.Equal(t, []string{"calls StatusChange small Released", "calls StatusChange last Released"},
			brief(b.desktop(t, "ben", ben.browser).subscribe("/v2/me/calls")))
		kept := len(b.desktop(t, "ada", ada.browser).subscribe("/v2/me/calls"))
		require.Positive(t, kept)
		require.Less(t, kept, 10)
	})
}

func TestAnIDThatNoWorkbinHasIsNotWatched(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", "/v2/me/workbins")
		for _, size := range []int{4 << 10, 5 << 10} {
			id := strings.Repeat("x", size)
			b.notifier.WatchWorkbin(adaHere, id, id, nil)
		}
		messages := plain(t, ada.poll())
		require.Contains(t, messages[0], `"Subscribed"`)
		require.Contains(t, messages[1], `"RequestFailed"`)
	})
}

// TestWatchersOfAWorkbinShareAMessage: a thousand agents may watch one workbin, and user data may have 256 KiB.
func TestWatchersOfAWorkbinShareAMessage(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		const watchers, size = 100, 60 << 10
		for i := range watchers {
			name := fmt.Sprint("agent", i)
			b.desktop(t, name, "", "/v2/me/workbins")
			b.notifier.WatchWorkbin(notify.Agent{ContactCenter: indextest.Center, ID: name}, "drafts", "drafts", nil)
		}
		b.publish(b.world.Start("e1", `{"channel":"email"}`), b.world.Must("e1", "accept", `{"agent":"ben"}`))
		b.publish(b.world.Must("e1", "attach_user_data", `{"user_data":{"k":"`+strings.Repeat("x", size)+`"}}`))
		notice := b.world.Must("e1", "place_in_workbin", `{"workbin":"drafts"}`)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b.publish(notice)
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(watchers*size/2))
	})
}

// TestWhoHasNoPartSeesWhatAllSee: those share a message, and see the same in it.
func TestWhoHasNoPartSeesWhatAllSee(t *testing.T) {
	w := indextest.New()
	w.Start("e1", `{"channel":"email"}`)
	for _, step := range [][2]string{
		{"offer", `{"agent":"ada"}`}, {"accept", `{"agent":"ada"}`}, {"place_in_workbin", `{"workbin":"drafts"}`},
		{"accept", `{"agent":"ben"}`}, {"transfer", `{"mode":"single_step","to":{"agent":"ada"}}`}, {"complete", `{}`},
	} {
		w.Do("e1", step[0], step[1])
		state, capabilities := w.State("e1")
		look := view.Look{State: &state, CapabilitiesFor: capabilities}
		for _, agent := range []string{"ada", "ben", "cyd"} {
			want, err := json.Marshal(view.Of(look, agent, base))
			require.NoError(t, err)
			got, err := json.Marshal(view.Of(look, notify.PartIn(&look, agent), base))
			require.NoError(t, err)
			require.JSONEq(t, string(want), string(got), "%s after %s", agent, step[0])
		}
	}
}
