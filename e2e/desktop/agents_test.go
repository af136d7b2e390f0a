package desktop_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// team is agents whose desktops are at different gateways: what one does there, the others see here.
type team struct {
	*testing.T
	ann, bob, carl *desk
}

// eachTeam plays a scenario with desktops of several kinds.
func eachTeam(t *testing.T, play func(t *team)) {
	t.Helper()
	for _, kinds := range [][3]kind{
		{{client: "cometd", transport: "websocket", ack: true}, {client: "faye", transport: "long-polling"}, {client: "cometd", transport: "long-polling", ack: true, browser: true}},
		{{client: "faye", transport: "websocket", ack: true}, {client: "cometd", transport: "long-polling"}, {client: "faye", transport: "websocket"}},
	} {
		t.Run(kinds[0].String(), func(t *testing.T) {
			t.Parallel()
			team := &team{T: t, ann: open(t, replicas[0], kinds[0]), bob: open(t, replicas[1], kinds[1]), carl: open(t, replicas[1], kinds[2])}
			play(team)
			team.ann.close()
			team.bob.close()
			team.carl.close()
		})
	}
}

// handled is an interaction that ann has accepted.
func (t *team) handled(m medium) string {
	t.Helper()
	id := start(t.T, m.channel)
	offer(t.T, id, t.ann)
	t.ann.sees(m, id, nil, "StatusChange "+m.invited)
	t.ann.does(m, id, "Accept", nil, "StatusChange "+m.working)
	return id
}

// over is the state of an agent's part that is over, not by the loss of an offer.
func (m medium) over() string {
	if m == call {
		return "Released"
	}
	return "Completed"
}

// holds requires that only one of the agents has the interaction in the list, right after a command of another.
func (t *team) holds(id string, owner *desk) {
	t.Helper()
	for _, d := range []*desk{t.ann, t.bob, t.carl} {
		if d == owner {
			require.Contains(t, d.listed(), id, d.name)
		} else {
			require.NotContains(t, d.listed(), id, d.name)
		}
	}
}

// agentsTogether plays what several agents do with one interaction.
func agentsTogether(t *testing.T) {
	eachTeam(t, func(t *team) {
		for _, m := range media {
			t.transfer(m)
			t.rejectAndOfferAgain(m)
			t.firstAcceptWins(m)
			t.missed(m)
			t.placeInQueue(m)
			t.platformChanges(m)
			t.workbin(m)
		}
		t.consult()
		t.conference()
		t.drafts()
	})
}

// transfer: ann gives the interaction to bob, who has it at once and completes it.
func (t *team) transfer(m medium) {
	t.Helper()
	id := t.handled(m)
	given := t.ann.does(m, id, "SingleStepTransfer", map[string]any{"userId": t.bob.name}, "StatusChange "+m.over())
	t.ann.can(given, "")
	got := t.bob.sees(m, id, nil, "StatusChange "+m.working)
	require.Equal(t, t.bob.name, got["assignedTo"])
	t.holds(id, t.bob)
	t.bob.finish(m, id)
	t.holds(id, nil)
}

// finish completes an interaction that the agent alone has.
func (d *desk) finish(m medium, id string) {
	d.Helper()
	switch m {
	case call:
		d.does(m, id, "Hangup", nil, "StatusChange Released")
	case chat:
		d.does(m, id, "Leave", nil, "StatusChange Chatting")
	}
	d.does(m, id, "Complete", nil, "StatusChange "+m.over())
}

// rejectAndOfferAgain: ann rejects, and bob is asked.
func (t *team) rejectAndOfferAgain(m medium) {
	t.Helper()
	id := start(t.T, m.channel)
	offer(t.T, id, t.ann)
	t.ann.sees(m, id, nil, "StatusChange "+m.invited)
	t.ann.can(t.ann.does(m, id, "Reject", map[string]any{"reason": "at lunch"}, "StatusChange "+m.over()), "")
	t.holds(id, nil)
	offer(t.T, id, t.bob)
	t.bob.sees(m, id, nil, "StatusChange "+m.invited)
	t.bob.does(m, id, "Accept", nil, "StatusChange "+m.working)
	t.holds(id, t.bob)
	t.bob.finish(m, id)
}

// firstAcceptWins: both are asked, and the one who is later loses the offer.
func (t *team) firstAcceptWins(m medium) {
	t.Helper()
	id := start(t.T, m.channel)
	offer(t.T, id, t.ann, t.bob)
	t.ann.sees(m, id, nil, "StatusChange "+m.invited)
	t.bob.sees(m, id, nil, "StatusChange "+m.invited)
	require.Contains(t, t.ann.listed(), id)
	require.Contains(t, t.bob.listed(), id)
	t.bob.does(m, id, "Accept", nil, "StatusChange "+m.working)
	t.ann.can(t.ann.sees(m, id, nil, "StatusChange "+m.lost), "")
	t.holds(id, t.bob)
	late, _ := t.ann.request("POST", "/me/interactions/"+id, map[string]any{"operationName": "Accept"})
	require.EqualValues(t, 2, late["statusCode"], "%v", late)
	t.bob.finish(m, id)
}

// missed: the timer takes the offer from ann.
func (t *team) missed(m medium) {
	t.Helper()
	id := start(t.T, m.channel)
	command(t.T, id, "offer", map[string]any{"agent": t.ann.name, "timeout": "1s"})
	t.ann.sees(m, id, nil, "StatusChange "+m.invited)
	t.ann.can(t.ann.sees(m, id, nil, "StatusChange "+m.lost), "")
	t.holds(id, nil)
	command(t.T, id, "abandon", nil)
}

// placeInQueue: ann gives the interaction back, and bob gets it.
func (t *team) placeInQueue(m medium) {
	t.Helper()
	id := t.handled(m)
	t.ann.can(t.ann.does(m, id, "PlaceInQueue", map[string]any{"queueName": "billing"}, "StatusChange "+m.over()), "")
	t.holds(id, nil)
	offer(t.T, id, t.bob)
	require.Equal(t, "billing", t.bob.sees(m, id, nil, "StatusChange "+m.invited)["queue"])
	t.bob.does(m, id, "Accept", nil, "StatusChange "+m.working)
	t.bob.finish(m, id)
}

// platformChanges: the platform changes what ann has, and ends it.
func (t *team) platformChanges(m medium) {
	t.Helper()
	id := t.handled(m)
	changed := "PropertiesUpdated "
	if m == call {
		changed = "AttachedDataChanged "
	}
	command(t.T, id, "update_user_data", map[string]any{"user_data": map[string]any{"tier": "gold"}})
	require.Equal(t, "gold", t.ann.sees(m, id, nil, changed+m.working)["userData"].(map[string]any)["tier"])
	command(t.T, id, "set_attributes", map[string]any{"comment": "by the platform"})
	require.Equal(t, "by the platform", t.ann.sees(m, id, nil, "PropertiesUpdated "+m.working)["comment"])
	command(t.T, id, "complete", nil)
	t.ann.can(t.ann.sees(m, id, nil, "StatusChange "+m.over()), "")
	t.holds(id, nil)
}

// consult: ann asks bob, and gives him the call.
func (t *team) consult() {
	t.Helper()
	id := t.handled(call)
	asking := t.ann.does(call, id, "InitiateTransfer", map[string]any{"userId": t.bob.name},
		"StatusChange Established", "ParticipantsUpdated Established")
	require.Contains(t, asking["capabilities"], "CompleteTransfer")
	t.bob.sees(call, id, nil, "StatusChange Established")
	t.ann.can(t.ann.does(call, id, "CompleteTransfer", nil, "StatusChange Released"), "")
	require.Equal(t, t.bob.name, t.bob.sees(call, id, nil, "StatusChange Established", "ParticipantsUpdated Established")["assignedTo"])
	t.holds(id, t.bob)
	t.bob.finish(call, id)
}

// conference: bob joins ann, leaves, and ann goes on.
func (t *team) conference() {
	t.Helper()
	id := t.handled(call)
	t.ann.does(call, id, "SingleStepConference", map[string]any{"userId": t.bob.name}, "StatusChange Established", "ParticipantsUpdated Established")
	t.bob.sees(call, id, nil, "StatusChange Established")
	require.Contains(t, t.ann.listed(), id)
	require.Contains(t, t.bob.listed(), id)
	t.bob.does(call, id, "AttachUserData", map[string]any{"userData": map[string]any{"note": "from bob"}}, "AttachedDataChanged Established")
	t.ann.sees(call, id, nil, "AttachedDataChanged Established")
	t.bob.does(call, id, "Hangup", nil, "StatusChange Released")
	t.ann.sees(call, id, nil, "StatusChange Established", "ParticipantsUpdated Established")
	t.holds(id, t.ann)
	t.ann.finish(call, id)
}
