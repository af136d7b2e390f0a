package view_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/gws/view"
	"segue/interaction"
)

// The situations of agent a1.
var (
	offered   = []string{`place_in_queue {"queue":"sales"}`, `offer {"agent":"a1"}`}
	previewed = []string{`offer {"agent":"a1","preview":true}`}
	handling  = after(offered, `a1: accept`)
	consulted = after(handling, `a1: consult {"to":{"agent":"a2"}}`)
	conferred = after(handling, `a1: conference {"agent":"a2"}`)
	wrapping  = after(handling, `disconnect`)
)

const (
	assigned = `"agent":{"id":"a1","name":"Ann"}`
	draft    = `"parent":"p1","draft":true,"agent":"a1","direction":"outbound"`
)

func TestTheNameOfAStateFollowsFromTheMediumAndTheAgentsPart(t *testing.T) {
	channels := []string{"inbound", "chat", "email", "sms"}
	for name, row := range map[string]struct {
		more  []string
		lines []string
		agent string
		want  []string // call, chat, email, openmedia
	}{
		"offered":                   {lines: offered, agent: "a1", want: []string{"Ringing", "Invited", "Invited", "Invited"}},
		"preview":                   {lines: previewed, agent: "a1", want: []string{"Ringing", "Invited", "Invited", "Invited"}},
		"assigned at start":         {more: []string{assigned}, agent: "a1", want: []string{"Ringing", "Invited", "Invited", "Invited"}},
		"owner in dialing":          {lines: []string{`a1: dial`}, agent: "a1", want: []string{"Dialing", "Chatting", "Processing", "Processing"}},
		"preview accepted":          {lines: after(previewed, `a1: accept`), agent: "a1", want: []string{"Dialing", "Chatting", "Processing", "Processing"}},
		"dialing from handling":     {lines: after(handling, `a1: dial`), agent: "a1", want: []string{"Dialing", "Chatting", "Processing", "Processing"}},
		"handling":                  {lines: handling, agent: "a1", want: []string{"Established", "Chatting", "Processing", "Processing"}},
		"held":                      {lines: after(handling, `a1: hold`), agent: "a1", want: []string{"Held", "Chatting", "Processing", "Processing"}},
		"consulting":                {lines: consulted, agent: "a1", want: []string{"Established", "Chatting", "Processing", "Processing"}},
		"consulting and held":       {lines: after(consulted, `a1: hold`), agent: "a1", want: []string{"Held", "Chatting", "Processing", "Processing"}},
		"consulted, the owner held": {lines: after(consulted, `a1: hold`), agent: "a2", want: []string{"Established", "Chatting", "Processing", "Processing"}},
		"consulted":                 {lines: consulted, agent: "a2", want: []string{"Established", "Chatting", "Processing", "Processing"}},
		"conference":                {lines: conferred, agent: "a2", want: []string{"Established", "Chatting", "Processing", "Processing"}},
		"composing":                 {more: []string{draft}, agent: "a1", want: []string{"Established", "Composing", "Composing", "Composing"}},
		"wrap_up":                   {lines: wrapping, agent: "a1", want: []string{"Released", "Chatting", "Processing", "Processing"}},
		"wrap_up of the giver": {lines: after(handling, `a1: transfer {"to":{"agent":"a2"},"wrap_up":true}`), agent: "a1",
			want: []string{"Released", "Chatting", "Processing", "Processing"}},
		"offered while wrapping up": {lines: after(handling, `a1: transfer {"to":{"queue":"backup"},"wrap_up":true}`, `offer {"agent":"a1"}`), agent: "a1",
			want: []string{"Ringing", "Invited", "Invited", "Invited"}},
		"none: started":                 {agent: "a9", want: []string{"Queued", "Queued", "Queued", "Queued"}},
		"none: queued":                  {lines: offered[:1], agent: "a9", want: []string{"Queued", "Queued", "Queued", "Queued"}},
		"none: in_workbin":              {lines: after(handling, `a1: place_in_workbin {"workbin":"w"}`), agent: "a1", want: []string{"InWorkbin", "InWorkbin", "InWorkbin", "InWorkbin"}},
		"none: offered to others":       {lines: offered, agent: "a9", want: []string{"Ringing", "Invited", "Invited", "Invited"}},
		"none: the owner's":             {lines: handling, want: []string{"Established", "Chatting", "Processing", "Processing"}},
		"none: the owner's, held":       {lines: after(handling, `a1: hold`), agent: "a9", want: []string{"Held", "Chatting", "Processing", "Processing"}},
		"none: the owner's, wrapping":   {lines: wrapping, agent: "a9", want: []string{"Released", "Chatting", "Processing", "Processing"}},
		"none: the owner's, a draft":    {more: []string{draft}, agent: "a9", want: []string{"Established", "Composing", "Composing", "Composing"}},
		"none: handling without agent":  {lines: after(handling, `a1: transfer {"to":{"number":"+1"}}`), agent: "a1", want: []string{"Established", "Chatting", "Processing", "Processing"}},
		"none: dialing without agent":   {lines: []string{`dial`}, agent: "a1", want: []string{"Dialing", "Chatting", "Processing", "Processing"}},
		"none: completed":               {lines: after(handling, `a1: complete`), agent: "a1", want: []string{"Released", "Completed", "Completed", "Completed"}},
		"none: a canceled draft":        {more: []string{draft}, lines: []string{`a1: cancel`}, agent: "a1", want: []string{"Released", "Canceled", "Canceled", "Canceled"}},
		"none: canceled, but no draft":  {lines: after(handling, `cancel`), agent: "a1", want: []string{"Released", "Completed", "Completed", "Completed"}},
		"none: a draft that was sent":   {more: []string{draft}, lines: []string{`a1: complete`}, agent: "a1", want: []string{"Released", "Completed", "Completed", "Completed"}},
		"none: the invitation of a web": {lines: []string{`engage {"ixnProfile":{"channel":"chat"}}`}, agent: "a1", want: []string{"Queued", "Queued", "Queued", "Queued"}},
	} {
		t.Run(name, func(t *testing.T) {
			for n, channel := range channels {
				l := look(t, start(channel, row.more...), row.lines...)
				require.Equal(t, row.want[n], view.Of(l, row.agent, base).StateName(), channel)
			}
		})
	}
}

func TestEveryChannelHasItsMedium(t *testing.T) {
	want := map[interaction.Channel]view.Medium{
		"inbound": view.Call, "outbound": view.Call, "cloud_routing": view.Call, "track_number": view.Call,
		"chat": view.Chat, "email": view.Email, "sms": view.Openmedia, "web": view.Openmedia,
	}
	for channel, medium := range want {
		require.Equal(t, medium, view.MediumOf(channel), channel)
	}
	for _, m := range view.Media {
		require.Equal(t, "/v2/me/"+m.Plural, m.Topic)
	}
	require.Equal(t, view.Medium{
		Name: "openmedia", Plural: "openmedia", Message: "OpenmediaStateChangeMessage", Topic: "/v2/me/openmedia",
		TypeKey: "openmediaType", WorkbinKey: "openmediaStateResourceV2",
	}, view.Openmedia)
	require.Equal(t, view.Medium{
		Name: "call", Plural: "calls", Message: "CallStateChangeMessage", Topic: "/v2/me/calls", TypeKey: "callType", WorkbinKey: "callStateResourceV2",
	}, view.Call)
}

func TestAnIDIsOneSegmentOfAPath(t *testing.T) {
	for id, want := range map[string]string{
		"00009a8T8Y130123": "/calls/00009a8T8Y130123", "a:b@c~d_e-f.g": "/calls/a:b@c~d_e-f.g", ".": "/calls/%2E", "..": "/calls/%2E%2E", "...": "/calls/...",
		"a/b?c": "/calls/a%2Fb%3Fc",
	} {
		require.Equal(t, want, view.Path("calls", id))
		require.Equal(t, "https://h/api/v2"+want, view.URI("https://h/", "calls", id))
	}
}

func TestCapabilities(t *testing.T) {
	for name, row := range map[string]struct {
		channel string
		more    []string
		lines   []string
		agent   string
		want    []string
	}{
		"call: offered": {channel: "inbound", lines: offered, agent: "a1", want: []string{"Answer", "Reject", "SetInFocus"}},
		"chat: offered": {channel: "chat", lines: offered, agent: "a1", want: []string{"Accept", "Reject", "SetInFocus"}},
		"call: handling": {channel: "inbound", lines: handling, agent: "a1", want: []string{
			"Hold", "Hangup", "InitiateTransfer", "SingleStepConference", "SingleStepTransfer", "Transfer", "PlaceInQueue", "PlaceInWorkbin", "AddComment",
			"AttachUserData", "UpdateUserData", "DeleteUserData", "DeleteUserDataPair", "SetDisposition", "SetInFocus", "Complete",
		}},
		"call: held": {channel: "inbound", lines: after(handling, `a1: hold`), agent: "a1", want: []string{
			"Retrieve", "Hangup", "InitiateTransfer", "SingleStepConference", "SingleStepTransfer", "Transfer", "PlaceInQueue", "PlaceInWorkbin", "AddComment",
			"AttachUserData", "UpdateUserData", "DeleteUserData", "DeleteUserDataPair", "SetDisposition", "SetInFocus", "Complete",
		}},
		"call: consulting": {channel: "inbound", lines: consulted, agent: "a1", want: []string{
			"Retrieve", "Hangup", "CompleteTransfer", "SingleStepConference", "SingleStepTransfer", "Transfer", "PlaceInQueue", "AddComment",
			"AttachUserData", "UpdateUserData", "DeleteUserData", "DeleteUserDataPair", "SetDisposition", "SetInFocus", "Complete",
		}},
		"call: consulted": {channel: "inbound", lines: consulted, agent: "a2", want: []string{
			"Hangup", "AddComment", "AttachUserData", "UpdateUserData", "DeleteUserData", "DeleteUserDataPair", "SetDisposition", "SetInFocus", "Complete",
		}},
		"call: a consulted number": {channel: "inbound", lines: after(handling, `a1: consult {"to":{"number":"+1"}}`), agent: "a1", want: []string{
			"Retrieve", "Hangup", "CompleteTransfer", "SingleStepConference", "SingleStepTransfer", "Transfer", "PlaceInQueue", "AddComment",
			"AttachUserData", "UpdateUserData", "DeleteUserData", "DeleteUserDataPair", "SetDisposition", "SetInFocus", "Complete",
		}},
		"chat: handling": {channel: "chat", lines: handling, agent: "a1", want: []string{
			"Transfer", "PlaceInQueue", "PlaceInWorkbin", "AddComment", "AttachUserData", "UpdateUserData", "DeleteUserData", "SetDisposition", "SetInFocus", "Complete", "Leave",
		}},
		"email: handling": {channel: "email", lines: handling, agent: "a1", want: []string{
			"Reply", "ReplyAll", "Transfer", "PlaceInQueue", "PlaceInWorkbin", "AddComment", "AttachUserData", "UpdateUserData", "DeleteUserData", "SetDisposition", "SetInFocus", "Complete",
		}},
		"openmedia: handling": {channel: "web", lines: handling, agent: "a1", want: []string{
			"Transfer", "PlaceInQueue", "PlaceInWorkbin", "AddComment", "AttachUserData", "UpdateUserData", "DeleteUserData", "SetDisposition", "SetInFocus", "Complete",
		}},
		"email: a draft": {channel: "email", more: []string{draft}, agent: "a1", want: []string{
			"Cancel", "Send", "Transfer", "PlaceInQueue", "PlaceInWorkbin", "AddComment", "AttachUserData", "UpdateUserData", "DeleteUserData", "SetDisposition", "SetInFocus",
		}},
		"no part":                  {channel: "email", lines: offered[:1], agent: "a1", want: []string{}},
		"no agent":                 {channel: "email", lines: handling, want: []string{}},
		"completed":                {channel: "email", lines: after(handling, `a1: complete`), agent: "a1", want: []string{}},
		"assigned without a right": {channel: "inbound", more: []string{`"agent":"a1"`}, lines: []string{`segment_change {"segment":"interaction_starts.agent","agent":"a2"}`}, agent: "a9", want: []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			l := look(t, start(row.channel, row.more...), row.lines...)
			require.Equal(t, row.want, view.Of(l, row.agent, base).Capabilities())
		})
	}
}
