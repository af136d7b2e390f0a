package desktop_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The capabilities of those who may do everything that the state allows.
const (
	data       = " AttachUserData UpdateUserData DeleteUserData SetDisposition AddComment SetInFocus"
	invited    = "Reject SetInFocus"
	owning     = "Transfer PlaceInQueue PlaceInWorkbin Complete" + data
	onCalls    = " DeleteUserDataPair"
	wrappingUp = "Complete" + data
)

// An agent works from login to logout: a call, a chat and an email, each from the offer to Completed.
func aSessionOfAnAgent(t *testing.T) {
	all := append(kinds(), kind{client: "cometd", transport: "long-polling", ack: true, browser: true})
	for i, k := range all {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			d := open(t, replicas[i%2], k)
			for _, m := range media {
				d.completes(m)
			}
			d.close()
		})
	}
}

// completes takes an interaction from the offer to Completed.
func (d *desk) completes(m medium) {
	d.Helper()
	id := start(d.T, m.channel)
	offer(d.T, id, d)
	shown := d.sees(m, id, nil, "StatusChange "+m.invited)
	require.Equal(d, "Order 7", shown["userData"].(map[string]any)["subject"])
	require.Equal(d, "Inbound", shown[m.key+"Type"])
	require.Equal(d, "support", shown["queue"])
	accept, extra, more := "Accept", "", ""
	switch m {
	case call:
		accept, extra, more = "Answer", onCalls, " Hold Hangup InitiateTransfer SingleStepConference SingleStepTransfer"
	case chat:
		more = " Leave"
	case email:
		more = " Reply ReplyAll"
	}
	d.can(shown, accept+" "+invited)
	require.Equal(d, []string{id}, d.listed())

	shown = d.does(m, id, accept, map[string]any{"nickname": "Al"}, "StatusChange "+m.working)
	d.can(shown, owning+extra+more)
	require.Equal(d, d.name, shown["assignedTo"])

	changed := "PropertiesUpdated"
	if m == call {
		changed = "AttachedDataChanged"
	}
	d.does(m, id, "AttachUserData", map[string]any{"userData": map[string]any{"tier": "gold"}}, changed+" "+m.working)
	d.does(m, id, "UpdateUserData", map[string]any{"userData": map[string]any{"tier": "silver"}}, changed+" "+m.working)
	shown = d.does(m, id, "DeleteUserData", map[string]any{"userData": map[string]any{"tier": ""}}, changed+" "+m.working)
	require.Equal(d, map[string]any{"subject": "Order 7", "from": "kim@example.com"}, shown["userData"])
	d.does(m, id, "AddComment", map[string]any{"comment": "called before"}, "PropertiesUpdated "+m.working)
	shown = d.does(m, id, "SetDisposition", map[string]any{"disposition": "sold"}, "PropertiesUpdated "+m.working)
	require.Equal(d, "sold", shown["disposition"])

	over := "Completed"
	switch m {
	case call:
		shown = d.does(m, id, "Hold", nil, "StatusChange Held")
		d.can(shown, owning+extra+" Retrieve Hangup InitiateTransfer SingleStepConference SingleStepTransfer")
		d.does(m, id, "Retrieve", nil, "StatusChange Established")
		shown = d.does(m, id, "Hangup", nil, "StatusChange Released")
		d.can(shown, wrappingUp+extra+" Hangup") // as the lifecycle lets the owner disconnect in wrap-up, too
		over = "Released"
	case chat:
		shown = d.does(m, id, "Leave", nil, "StatusChange Chatting")
		d.can(shown, wrappingUp+" Leave")
	}
	shown = d.does(m, id, "Complete", nil, "StatusChange "+over)
	d.can(shown, "")
	require.Empty(d, d.listed())
}
