package desktop_test

import (
	"github.com/stretchr/testify/require"
)

// drafts: ann replies to an email, cancels, replies again, and sends; then she replies to all.
func (t *team) drafts() {
	t.Helper()
	id := t.handled(email)
	canceled := t.draft(id, "Reply")
	t.ann.can(t.ann.does(email, canceled, "Cancel", nil, "StatusChange Canceled"), "")
	require.Equal(t, []string{id}, t.ann.listed())
	for _, reply := range []string{"Reply", "ReplyAll"} {
		draft := t.draft(id, reply)
		t.ann.does(email, draft, "UpdateUserData", map[string]any{"userData": map[string]any{"text": "Dear Kim"}}, "PropertiesUpdated Composing")
		t.ann.can(t.ann.does(email, draft, "Send", nil, "StatusChange Completed"), "")
		t.holds(draft, nil)
		t.holds(id, t.ann)
	}
	t.ann.finish(email, id)
}

// draft begins a draft, and returns its id.
func (t *team) draft(parent, operation string) string {
	t.Helper()
	answer := t.ann.must("/me/interactions/"+parent, map[string]any{"operationName": operation, "text": "Hello"})
	id := ""
	for _, other := range t.ann.listed() {
		if other != parent {
			require.Empty(t, id, "the only other interaction is the draft")
			id = other
		}
	}
	require.NotEmpty(t, id, "the draft is in the list of who asked for it")
	shown := t.ann.sees(email, id, answer["referenceId"], "StatusChange Composing")
	require.Equal(t, parent, shown["parentInteractionId"])
	require.Equal(t, "Outbound", shown["emailType"])
	require.Contains(t, shown["capabilities"], "Send")
	require.Contains(t, shown["capabilities"], "Cancel")
	return id
}
