package notify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/gateway/gws/notify"
	"segue/gateway/index"
	"segue/gateway/index/indextest"
)

var adaHere = notify.Agent{ContactCenter: indextest.Center, ID: "ada"}

// plain are messages without what is long in them.
func plain(t *testing.T, messages []received) []string {
	lines := make([]string, 0, len(messages))
	for _, m := range messages {
		var data map[string]any
		require.NoError(t, json.Unmarshal(m.Data, &data))
		for key, value := range data {
			if resource, is := value.(map[string]any); is {
				data[key] = fmt.Sprint(resource["id"], " ", resource["state"], " ", resource["capabilities"])
			}
		}
		line, err := json.Marshal(data)
		require.NoError(t, err)
		lines = append(lines, m.Channel+" "+string(line))
	}
	return lines
}

const (
	toDrafts = `{"workbin":"drafts"}`
	toTeam   = `{"workbin":{"team":"a","id":1}}`
)

func TestWatchersOfAWorkbinAreNotified(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada, other := b.desktop(t, "ada", "", "/v2/me/workbins"), b.desktop(t, "ada", "", "/v2/me/workbins/")
		b.notifier.WatchWorkbin(adaHere, "d", "drafts", json.RawMessage(`14`))
		b.notifier.WatchWorkbin(adaHere, "team", map[string]any{"id": json.Number("1"), "team": "a"}, json.RawMessage(`"x"`))
		require.Equal(t, []string{
			`/v2/me/workbins {"id":"d","messageType":"WorkbinSubscriptionStateChangeMessage","referenceId":14,"stateResource":"Subscribed"}`,
			`/v2/me/workbins {"id":"team","messageType":"WorkbinSubscriptionStateChangeMessage","referenceId":"x","stateResource":"Subscribed"}`,
		}, plain(t, ada.poll()))
		other.poll()
		b.publish(b.world.Start("e1", `{"channel":"email"}`), b.world.Must("e1", "accept", `{"agent":"ben"}`))
		b.publish(b.world.Must("e1", "place_in_workbin", toDrafts))
		added := `{"action":"ItemAdded","emailStateResourceV2":"e1 InWorkbin []","id":"d","messageType":"WorkbinStateChangeMessage"}`
		require.Equal(t, []string{"/v2/me/workbins " + added}, plain(t, ada.poll()), "whoever did it")
		require.Equal(t, []string{"/v2/me/workbins/ " + added}, plain(t, other.poll()))
		b.publish(b.world.Must("e1", "accept", `{"agent":"ben"}`))
		require.Equal(t, []string{
			`/v2/me/workbins {"action":"ItemRemoved","emailStateResourceV2":"e1 Processing []","id":"d","messageType":"WorkbinStateChangeMessage"}`,
		}, plain(t, ada.poll()))
		b.publish(b.world.Must("e1", "place_in_workbin", toTeam))
		require.Len(t, ada.poll(), 1, "an object by all its keys")
		b.publish(b.world.Must("e1", "disconnect", `{}`))
		require.Contains(t, strings.Join(plain(t, ada.poll()), ""), `"ItemRemoved","emailStateResourceV2":"e1 Completed`)

		b.notifier.UnwatchWorkbin(adaHere, "d", "drafts", nil)
		require.Equal(t, []string{
			`/v2/me/workbins {"id":"d","messageType":"WorkbinSubscriptionStateChangeMessage","stateResource":"Unsubscribed"}`,
		}, plain(t, ada.poll()))
		b.publish(b.world.Start("e2", `{"channel":"email"}`), b.world.Must("e2", "accept", `{"agent":"ben"}`))
		b.publish(b.world.Must("e2", "place_in_workbin", toDrafts))
		require.Empty(t, ada.poll())
	})
}

func TestWatchedWorkbinsAreBounded(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		ada := b.desktop(t, "ada", "", "/v2/me/workbins")
		for i := range 101 {
			b.notifier.WatchWorkbin(adaHere, fmt.Sprint("w", i), fmt.Sprint("w", i), nil)
		}
		b.notifier.WatchWorkbin(adaHere, "w7", "w7", nil) // again
		messages := plain(t, ada.poll())
		require.Contains(t, messages[99], `"Subscribed"`)
		require.Contains(t, messages[100], `"RequestFailed"`)
		require.Contains(t, messages[101], `"Subscribed"`)
		ada.disconnect()
		time.Sleep(14 * time.Minute)
		ada = b.desktop(t, "ada", "", "/v2/me/workbins")
		b.publish(b.world.Start("e1", `{"channel":"email"}`), b.world.Must("e1", "accept", `{"agent":"ben"}`))
		b.publish(b.world.Must("e1", "place_in_workbin", `{"workbin":"w7"}`))
		require.Len(t, ada.poll(), 1, "once, though watched twice under one id")
		ada.disconnect()
		time.Sleep(17 * time.Minute)
		ada = b.desktop(t, "ada", "", "/v2/me/workbins")
		b.publish(b.world.Must("e1", "accept", `{"agent":"ben"}`))
		require.Empty(t, ada.poll())
	})
}

func TestTheContentOfAWorkbin(t *testing.T) {
	run(t, nil, func(t *testing.T, b *bench) {
		with, without := b.desktop(t, "ada", "", all...), b.desktop(t, "ada", "", "/v2/me/interactions")
		for i := range 20 {
			id := fmt.Sprintf("e%02d", i+1)
			b.publish(b.world.Start(id, `{"channel":"email","user_data":{"text":"`+strings.Repeat("x", 60<<10)+`"}}`))
			b.publish(b.world.Must(id, "accept", `{"agent":"ben"}`), b.world.Must(id, "place_in_workbin", toDrafts))
		}
		entries := b.index.OfWorkbin(indextest.Center, "drafts")
		require.Len(t, entries, 20)
		b.notifier.WorkbinContent(adaHere, "drafts", entries[:1], false, json.RawMessage(`3`))
		messages := with.poll()
		require.Len(t, messages, 1)
		require.Equal(t, "/v2/me/workbins", messages[0].Channel)
		var content struct {
			MessageType, ID string
			ReferenceID     int
			Interactions    []struct{ MessageType, ID, State string }
			More            *bool
		}
		require.NoError(t, json.Unmarshal(messages[0].Data, &content))
		require.Equal(t, "WorkbinContentMessage drafts 3 [{InteractionStateMessage e01 InWorkbin}]",
			fmt.Sprint(content.MessageType, " ", content.ID, " ", content.ReferenceID, " ", content.Interactions))
		require.Nil(t, content.More)
		messages = without.poll()
		require.Equal(t, "/v2/me/interactions", messages[0].Channel)

		b.notifier.WorkbinContent(adaHere, "drafts", entries, false, nil)
		messages = with.poll()
		require.Less(t, len(messages[0].Data), 1<<20+1<<10)
		require.NoError(t, json.Unmarshal(messages[0].Data, &content))
		require.Len(t, content.Interactions, 16)
		require.True(t, *content.More)
		without.poll()

		b.notifier.WorkbinContent(adaHere, "empty", []*index.Entry{}, false, nil)
		require.Contains(t, string(with.poll()[0].Data), `"interactions":[]`)
	})
}
