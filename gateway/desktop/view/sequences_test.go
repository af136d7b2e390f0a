package view_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/desktop/view"
)

// comes are the eleven events of a call that comes to a channel, in short.
func comes(interaction, conversation string) []string {
	return []string{
		"channel.infochanged c-1", "state ACTIVE c-1", "interaction.created c-1.i1", "state " + interaction + " c-1.i1",
		"conversation.created c-1.i1.p", "state " + conversation + " c-1.i1.p", "conversation.member.added c-1.i1.p", "conversation.initialized c-1.i1.p",
		"interaction.datachanged c-1.i1", "interaction.preview c-1.i1", "interaction.initialized c-1.i1",
	}
}

// textComes are those of a chat or an email.
func textComes(interaction string) []string {
	return []string{
		"channel.infochanged c-1", "state ACTIVE c-1", "interaction.created c-1.i1", "state " + interaction + " c-1.i1",
		"interaction.datachanged c-1.i1", "interaction.preview c-1.i1", "interaction.initialized c-1.i1",
	}
}

func lines(text string) []string {
	var all []string
	for line := range strings.SplitSeq(text, ";") {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

const (
	leaves = "channel.infochanged c-1; state INACTIVE c-1"
	over   = "state ENDED c-1.i1.p; conversation.disposed c-1.i1.p; state ENDED c-1.i1; interaction.ended c-1.i1; " + leaves
)

var (
	ringing   = []string{`place_in_queue {"queue":"sales"}`, `offer {"agents":["a1","a2"]}`}
	handled   = append(ringing[:2:2], `a1: accept`)
	consults  = append(handled[:3:3], `a1: consult {"to":{"agent":"a3"}}`)
	conferred = append(consults[:4:4], `a1: conference`)
	wraps     = append(handled[:3:3], `disconnect`)
)

// TestTheSequencesAreAsDocumented has a row for each moment: what a1, and a3 or a2, get for the last command.
func TestTheSequencesAreAsDocumented(t *testing.T) {
	for name, row := range map[string]struct {
		channel, more string
		given         []string
		command       string
		a1, a2, a3    []string
	}{
		"dial gives its eleven": {channel: "outbound", command: `a1: dial {"destination":"+1"}`, a1: comes("DIALING", "DIALING")},
		"the far side answers":  {channel: "outbound", given: []string{`a1: dial {"destination":"+1"}`}, command: `connect`, a1: lines("state ACTIVE c-1.i1.p; state STARTED c-1.i1")},
		"an offer":              {given: ringing[:1], command: ringing[1], a1: comes("ALERTING", "ALERTING"), a2: comes("ALERTING", "ALERTING")},
		"an offer of a chat":    {channel: "chat", given: ringing[:1], command: ringing[1], a1: textComes("ALERTING"), a2: textComes("ALERTING")},
		"accept":                {given: ringing, command: `a1: accept`, a1: lines("state ACTIVE c-1.i1.p; state STARTED c-1.i1"), a2: lines(over)},
		"accept of an email":    {channel: "email", given: ringing, command: `a1: accept`, a1: lines("state STARTED c-1.i1"), a2: lines("state ENDED c-1.i1; interaction.ended c-1.i1; " + leaves)},
		"reject":                {given: ringing, command: `a1: reject`, a1: lines(over)},
		"an offer is missed":    {given: ringing, command: `[offer_timeout]`, a1: lines(over), a2: lines(over)},
		"hold":                  {given: handled, command: `a1: hold`, a1: lines("state HELD c-1.i1.p")},
		"retrieve":              {given: append(handled[:3:3], `a1: hold`), command: `a1: retrieve`, a1: lines("state ACTIVE c-1.i1.p")},
		"consult": {given: handled, command: `a1: consult {"to":{"agent":"a3"}}`,
			a1: lines("conversation.created c-1.i1.k-1; state ACTIVE c-1.i1.k-1; conversation.member.added c-1.i1.k-1; conversation.initialized c-1.i1.k-1; interaction.focuschanged c-1.i1"),
			a3: comes("STARTED", "ACTIVE")},
		"consulttransfer gives its six": {given: consults, command: `a1: transfer {"mode":"consult"}`,
			a1: lines("state ENDED c-1.i1.p; conversation.disposed c-1.i1.p; interaction.focuschanged c-1.i1; state ENDED c-1.i1.k-1; conversation.disposed c-1.i1.k-1; interaction.ended c-1.i1; " + leaves)},
		"consulttransfer with wrap_up": {given: consults, command: `a1: transfer {"mode":"consult","wrap_up":true}`,
			a1: lines("state ENDED c-1.i1.p; conversation.disposed c-1.i1.p; interaction.focuschanged c-1.i1; state ENDED c-1.i1.k-1; conversation.disposed c-1.i1.k-1")},
		"consult of a chat": {channel: "chat", given: handled, command: `a1: consult {"to":{"agent":"a3"}}`, a3: textComes("STARTED")},
		"conference": {given: consults, command: `a1: conference`,
			a1: lines("state ENDED c-1.i1.k-1; conversation.disposed c-1.i1.k-1; conversation.member.added c-1.i1.p; interaction.focuschanged c-1.i1")},
		"conference without a consult": {given: handled, command: `a1: conference {"party":"+4"}`, a1: lines("conversation.member.added c-1.i1.p")},
		"an agent joins":               {given: conferred, command: `a1: conference {"agent":"a2"}`, a1: lines("conversation.member.added c-1.i1.p"), a2: comes("STARTED", "ACTIVE")},
		"consult over":                 {given: consults, command: `a1: retrieve`, a1: lines("state ENDED c-1.i1.k-1; conversation.disposed c-1.i1.k-1; interaction.focuschanged c-1.i1"), a3: lines(over)},
		"the consulted agent leaves":   {given: consults, command: `a3: leave`, a1: lines("state ENDED c-1.i1.k-1; conversation.disposed c-1.i1.k-1; interaction.focuschanged c-1.i1"), a3: lines(over)},
		"transfer":                     {given: handled, command: `a1: transfer {"to":{"agent":"a3"}}`, a1: lines(over), a3: comes("STARTED", "ACTIVE")},
		"wrap_up":                      {given: handled, command: `disconnect`, a1: lines("state ENDED c-1.i1.p; conversation.disposed c-1.i1.p")},
		"wrap_up in a consult": {given: consults, command: `disconnect`,
			a1: lines("state ENDED c-1.i1.k-1; conversation.disposed c-1.i1.k-1; interaction.focuschanged c-1.i1; state ENDED c-1.i1.p; conversation.disposed c-1.i1.p"), a3: lines(over)},
		"wrap_up ends": {given: wraps, command: `a1: complete`, a1: lines("state ENDED c-1.i1; interaction.ended c-1.i1; " + leaves)},
		"complete with a disposition": {given: handled, command: `a1: complete {"disposition":{"code":"SOLD"}}`,
			a1: lines("interaction.datachanged c-1.i1; " + over)},
		"user data":           {given: handled, command: `update_user_data {"user_data":{"k":1}}`, a1: lines("interaction.datachanged c-1.i1")},
		"the same user data":  {given: append(handled[:3:3], `update_user_data {"user_data":{"k":1}}`), command: `update_user_data {"user_data":{"k":1}}`},
		"a comment":           {given: handled, command: `set_attributes {"comment":"c"}`, a1: lines("interaction.datachanged c-1.i1")},
		"a disposition":       {given: handled, command: `a1: set_disposition {"code":"SOLD"}`, a1: lines("interaction.datachanged c-1.i1")},
		"native_id":           {given: handled, command: `set_attributes {"native_id":"n1"}`, a1: lines("conversation.updated c-1.i1.p")},
		"native_id of a chat": {channel: "chat", given: handled, command: `set_attributes {"native_id":"n1"}`, a1: lines("interaction.datachanged c-1.i1")},
		"signal_added":        {given: handled, command: `signal_added {"name":"s"}`, a1: lines("interaction.incontact.signaladded c-1.i1")},
		"signal_removed":      {given: append(handled[:3:3], `signal_added {"name":"s"}`), command: `signal_removed {"name":"s"}`, a1: lines("interaction.incontact.signalremoved c-1.i1")},
		"script_signal":       {given: handled, command: `a1: script_signal {"p1":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if row.channel == "" {
				row.channel = "inbound"
			}
			p := started(t, start(row.channel))
			for _, agent := range agents { // the channel is there before
				_, _, ok := p.desktops[agent].AddChannel(view.TypeOf(p.last.State.Channel), "x", "")
				require.True(t, ok)
			}
			p.do(row.given...)
			require.NoError(t, p.try(row.command))
			for agent, want := range map[string][]string{"a1": row.a1, "a2": row.a2, "a3": row.a3} {
				if want == nil {
					want = []string{}
				}
				require.Equal(t, want, short(p.see(agent)), agent)
			}
		})
	}
}

func TestTheReasonsOfAnEnd(t *testing.T) {
	for name, row := range map[string]struct {
		given   []string
		command string
		agent   string
		want    view.EndData
	}{
		"own reject":           {ringing, `a1: reject`, "a1", view.EndData{Reason: view.ReasonRejected}},
		"missed":               {ringing, `[offer_timeout]`, "a2", view.EndData{Reason: view.ReasonMissed}},
		"taken":                {ringing, `a1: accept`, "a2", view.EndData{Reason: view.ReasonTaken}},
		"withdrawn":            {ringing, `place_in_queue {"queue":"backup"}`, "a2", view.EndData{Reason: view.ReasonWithdrawn}},
		"the customer left":    {ringing, `abandon`, "a2", view.EndData{Reason: view.ReasonCompleted, Outcome: "abandoned"}},
		"completed":            {handled, `a1: complete`, "a1", view.EndData{Reason: view.ReasonCompleted, Outcome: "handled"}},
		"to a queue":           {handled, `a1: place_in_queue {"queue":"backup"}`, "a1", view.EndData{Reason: view.ReasonQueued}},
		"to a workbin":         {handled, `a1: place_in_workbin {"workbin":"w"}`, "a1", view.EndData{Reason: view.ReasonParked}},
		"to an agent":          {handled, `a1: transfer {"to":{"agent":"a3"}}`, "a1", view.EndData{Reason: view.ReasonTransferred}},
		"to the one consulted": {consults, `a1: transfer {"mode":"consult"}`, "a1", view.EndData{Reason: view.ReasonTransferred}},
		"left":                 {consults, `a3: leave`, "a3", view.EndData{Reason: view.ReasonLeft}},
	} {
		t.Run(name, func(t *testing.T) {
			p := started(t, start("inbound")).do(row.given...)
			require.NoError(t, p.try(row.command))
			var got []view.EndData
			for _, e := range p.see(row.agent) {
				if end, ok := e.Data.(view.EndData); ok {
					got = append(got, end)
				}
			}
			require.Equal(t, []view.EndData{row.want}, got)
		})
	}
}
