package desktop_test

import (
	"net/url"

	"github.com/stretchr/testify/require"
)

// workbin: ann puts an interaction aside, bob, who has subscribed, sees it there, looks, and pulls it.
func (t *team) workbin(m medium) {
	t.Helper()
	bin := "of " + t.ann.name
	path := "/me/workbins/" + url.PathEscape(bin)
	t.bob.watches(bin, "Subscribe", "Subscribed")
	id := t.handled(m)
	t.ann.can(t.ann.does(m, id, "PlaceInWorkbin", map[string]any{"workbin": bin}, "StatusChange "+m.over()), "")
	t.holds(id, nil)
	require.Equal(t, "InWorkbin", t.bob.item(m, bin, id, "ItemAdded")["state"])

	for _, ask := range []string{path, "/me/interactions/" + id} {
		answer := t.bob.must(ask, map[string]any{"operationName": "GetWorkbinContent", "workbin": bin})
		content := t.bob.other("/v2/me/workbins")
		require.Equal(t, "WorkbinContentMessage", content["messageType"])
		require.Equal(t, answer["referenceId"], content["referenceId"])
		require.Equal(t, bin, content["id"])
		t.bob.has(content["interactions"].([]any), id)
	}

	answer := t.bob.must(path, map[string]any{"operationName": "PullInteraction", "id": id})
	t.bob.sees(m, id, answer["referenceId"], "StatusChange "+m.working)
	t.bob.item(m, bin, id, "ItemRemoved")
	t.holds(id, t.bob)
	t.bob.watches(bin, "Unsubscribe", "Unsubscribed")
	t.bob.finish(m, id)
}

// has requires that an element of a workbin's content is what the agent reads of the interaction.
func (d *desk) has(content []any, id string) {
	d.Helper()
	for _, one := range content {
		element := one.(map[string]any)
		if element["id"] != id {
			continue
		}
		require.Equal(d, "InteractionStateMessage", element["messageType"])
		delete(element, "messageType")
		require.Equal(d, d.get("/interactions/" + id)["interaction"], any(element))
		return
	}
	require.Fail(d, "it is not in the workbin", "%s: %v", id, content)
}

func (d *desk) watches(bin, operation, state string) {
	d.Helper()
	answer := d.must("/me/workbins/"+url.PathEscape(bin), map[string]any{"operationName": operation})
	told := d.other("/v2/me/workbins")
	require.Equal(d, map[string]any{
		"messageType": "WorkbinSubscriptionStateChangeMessage", "stateResource": state, "id": bin, "referenceId": answer["referenceId"],
	}, told)
}

// item waits for the message that an interaction enters or leaves the workbin.
func (d *desk) item(m medium, bin, id, action string) map[string]any {
	d.Helper()
	told := d.other("/v2/me/workbins")
	require.Equal(d, "WorkbinStateChangeMessage", told["messageType"])
	require.Equal(d, action, told["action"])
	require.Equal(d, bin, told["id"])
	resource, _ := told[m.key+"StateResourceV2"].(map[string]any)
	require.Equal(d, id, resource["id"])
	return resource
}
