package view_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/gateway/gws/view"
	"segue/gateway/parts"
	"segue/interaction"
)

// told plays commands and returns what an agent gets for the last one, as "type state" on the medium's topic. It checks that
// the other topic has the same.
func told(t require.TestingT, before *view.Look, n *contract.Notice, agent string) []string {
	messages := view.Notifications(before, n, agent, base, json.RawMessage(`"r-1"`))
	require.Zero(t, len(messages)%2)
	half := len(messages) / 2
	written := []string{}
	for k, m := range messages {
		d := read(t, m)
		if k < half {
			medium := view.MediumOf(n.State.Channel)
			require.Equal(t, medium.Topic, m.Topic)
			require.Equal(t, medium.Message, d.MessageType)
			require.Nil(t, d.Interaction)
			written = append(written, d.NotificationType+" "+d.resource().State)
			continue
		}
		require.Equal(t, "/v2/me/interactions", m.Topic)
		require.Equal(t, "InteractionStateMessage", d.MessageType)
		require.NotNil(t, d.Interaction)
		require.Equal(t, written[k-half], d.NotificationType+" "+d.Interaction.State)
		require.Equal(t, read(t, messages[k-half]).resource(), d.Interaction)
	}
	return written
}

// TestWhatAChangeTells has the rows of the notification types and of how a part ends.
func TestWhatAChangeTells(t *testing.T) {
	group := []string{`place_in_queue {"queue":"sales"}`, `offer {"agents":["a1","a2"]}`}
	for name, row := range map[string]struct {
		channel, more string
		given         []string
		command       string
		a1, a2        []string
	}{
		"a call is offered":                     {given: group[:1], command: group[1], a1: []string{"StatusChange Ringing"}, a2: []string{"StatusChange Ringing"}},
		"a chat is offered":                     {channel: "chat", given: group[:1], command: group[1], a1: []string{"StatusChange Invited"}, a2: []string{"StatusChange Invited"}},
		"a call is taken":                       {given: group, command: `a1: accept`, a1: []string{"StatusChange Established"}, a2: []string{"StatusChange Released"}},
		"a chat is taken":                       {channel: "chat", given: group, command: `a1: accept`, a1: []string{"StatusChange Chatting"}, a2: []string{"StatusChange Revoked"}},
		"an email is taken":                     {channel: "email", given: group, command: `a1: accept`, a1: []string{"StatusChange Processing"}, a2: []string{"StatusChange Revoked"}},
		"an offer is missed":                    {channel: "sms", given: group, command: `[offer_timeout]`, a1: []string{"StatusChange Revoked"}, a2: []string{"StatusChange Revoked"}},
		"an offer is reported as missed":        {channel: "sms", given: group, command: `segment_change {"segment":"missed","agent":"a2"}`, a2: []string{"StatusChange Revoked"}},
		"an offer is withdrawn":                 {channel: "chat", given: group, command: `place_in_queue {"queue":"backup"}`, a1: []string{"StatusChange Revoked"}, a2: []string{"StatusChange Revoked"}},
		"an offer goes to another":              {channel: "chat", given: offered, command: `offer {"agent":"a2"}`, a1: []string{"StatusChange Revoked"}, a2: []string{"StatusChange Invited"}},
		"the same offer again":                  {channel: "chat", given: offered, command: `offer {"agent":"a1"}`},
		"the customer leaves while it rings":    {channel: "chat", given: group, command: `abandon`, a1: []string{"StatusChange Revoked"}, a2: []string{"StatusChange Revoked"}},
		"an assignment is abandoned":            {channel: "chat", more: assigned, command: `abandon`, a1: []string{"StatusChange Revoked"}},
		"an assigned agent ends it":             {channel: "chat", more: assigned, command: `a1: complete`, a1: []string{"StatusChange Completed"}},
		"own reject":                            {channel: "chat", given: group, command: `a1: reject`, a1: []string{"StatusChange Completed"}},
		"own reject of a call":                  {given: group, command: `a1: reject`, a1: []string{"StatusChange Released"}},
		"own reject that the platform gives":    {channel: "chat", given: group, command: `reject {"agent":"a1"}`, a1: []string{"StatusChange Completed"}},
		"own reject that the platform reports":  {channel: "chat", given: group, command: `segment_change {"segment":"rejected","agent":"a1"}`, a1: []string{"StatusChange Completed"}},
		"a final reject ends the other's offer": {channel: "chat", given: group, command: `reject {"agent":"a1","final":true}`, a1: []string{"StatusChange Completed"}, a2: []string{"StatusChange Revoked"}},
		"giving away to a queue":                {channel: "email", given: handling, command: `a1: place_in_queue {"queue":"backup"}`, a1: []string{"StatusChange Completed"}},
		"giving away to a workbin":              {channel: "email", given: handling, command: `a1: place_in_workbin {"workbin":"w"}`, a1: []string{"StatusChange Completed"}},
		"giving away to an agent":               {channel: "email", given: handling, command: `a1: transfer {"to":{"agent":"a2"}}`, a1: []string{"StatusChange Completed"}, a2: []string{"StatusChange Processing"}},
		"giving away by an offer":               {channel: "email", given: handling, command: `a1: transfer {"to":{"agent":"a2"},"mode":"offer"}`, a1: []string{"StatusChange Completed"}, a2: []string{"StatusChange Invited"}},
		"the platform takes it away":            {channel: "email", given: handling, command: `place_in_queue {"queue":"backup"}`, a1: []string{"StatusChange Completed"}},
		"transfer with wrap_up": {given: handling, command: `a1: transfer {"to":{"agent":"a2"},"wrap_up":true}`,
			a1: []string{"StatusChange Released", "ParticipantsUpdated Released"}, a2: []string{"StatusChange Established"}},
		"complete":                            {channel: "email", given: handling, command: `a1: complete`, a1: []string{"StatusChange Completed"}},
		"complete with a disposition":         {channel: "email", given: handling, command: `a1: complete {"disposition":{"code":"SOLD"}}`, a1: []string{"StatusChange Completed", "PropertiesUpdated Completed"}},
		"a draft is canceled":                 {channel: "email", more: draft, command: `a1: cancel`, a1: []string{"StatusChange Canceled"}},
		"a draft is canceled by the platform": {channel: "email", more: draft, command: `cancel`, a1: []string{"StatusChange Canceled"}},
		"a draft without a parent is canceled": {channel: "email", more: `"draft":true,"agent":"a1"`, command: `cancel`,
			a1: []string{"StatusChange Canceled"}},
		"a draft is sent":          {channel: "email", more: draft, command: `a1: complete`, a1: []string{"StatusChange Completed"}},
		"a draft is offered to a2": {channel: "email", more: draft, command: `a1: transfer {"to":{"agent":"a2"},"mode":"offer"}`, a1: []string{"StatusChange Completed"}, a2: []string{"StatusChange Invited"}},
		"a canceled email":         {channel: "email", given: handling, command: `cancel`, a1: []string{"StatusChange Completed"}},
		"the customer hangs up":    {given: handling, command: `disconnect`, a1: []string{"StatusChange Released"}},
		"wrap_up ends":             {given: wrapping, command: `a1: complete`, a1: []string{"StatusChange Released"}},
		"hold":                     {given: handling, command: `a1: hold`, a1: []string{"StatusChange Held"}},
		"hold again":               {given: after(handling, `a1: hold`), command: `a1: hold`},
		"hold in a conference":     {given: conferred, command: `a1: hold`, a1: []string{"StatusChange Held"}, a2: []string{"ParticipantsUpdated Established"}},
		"hold of a chat":           {channel: "chat", given: conferred, command: `a1: hold`, a2: []string{"ParticipantsUpdated Chatting"}},
		"hold of an email":         {channel: "email", given: conferred, command: `a1: hold`},
		"consult":                  {given: handling, command: `a1: consult {"to":{"agent":"a2"}}`, a1: []string{"StatusChange Established", "ParticipantsUpdated Established"}, a2: []string{"StatusChange Established"}},
		"consult about an email":   {channel: "email", given: handling, command: `a1: consult {"to":{"agent":"a2"}}`, a1: []string{"StatusChange Processing"}, a2: []string{"StatusChange Processing"}},
		"a consultation ends":      {given: consulted, command: `a1: retrieve`, a1: []string{"StatusChange Established", "ParticipantsUpdated Established"}, a2: []string{"StatusChange Released"}},
		"a third agent joins":      {given: conferred, command: `conference {"agent":"a3"}`, a1: []string{"ParticipantsUpdated Established"}, a2: []string{"ParticipantsUpdated Established"}},
		"a number joins":           {given: conferred, command: `conference {"party":"+1"}`, a1: []string{"ParticipantsUpdated Established"}, a2: []string{"ParticipantsUpdated Established"}},
		"the owner leaves":         {given: conferred, command: `a1: leave`, a1: []string{"StatusChange Released"}, a2: []string{"StatusChange Established", "ParticipantsUpdated Established"}},
		"user data of a call":      {given: handling, command: `a1: update_user_data {"user_data":{"k":1}}`, a1: []string{"AttachedDataChanged Established"}},
		"user data of a chat":      {channel: "chat", given: handling, command: `attach_user_data {"user_data":{"k":1}}`, a1: []string{"PropertiesUpdated Chatting"}},
		"user data that is there":  {given: after(handling, `update_user_data {"user_data":{"k":1}}`), command: `update_user_data {"user_data":{"k":1}}`},
		"user data of an offer":    {channel: "chat", given: group, command: `update_user_data {"user_data":{"k":1}}`, a1: []string{"PropertiesUpdated Invited"}, a2: []string{"PropertiesUpdated Invited"}},
		"a comment":                {given: handling, command: `set_attributes {"comment":"c"}`, a1: []string{"PropertiesUpdated Established"}},
		"a customer":               {channel: "web", given: handling, command: `set_attributes {"customer":{"a":1}}`, a1: []string{"PropertiesUpdated Processing"}},
		"a business process":       {given: handling, command: `set_attributes {"business_process":"b"}`, a1: []string{"PropertiesUpdated Established"}},
		"a disposition":            {given: handling, command: `a1: set_disposition {"code":"SOLD"}`, a1: []string{"PropertiesUpdated Established"}},
		"the same disposition":     {given: after(handling, `a1: set_disposition {"code":"SOLD"}`), command: `a1: set_disposition {"code":"SOLD"}`},
		"the same disposition by another": {given: after(conferred, `a1: set_disposition {"code":"SOLD"}`), command: `a2: set_disposition {"code":"SOLD"}`,
			a1: []string{"PropertiesUpdated Established"}, a2: []string{"PropertiesUpdated Established"}},
		"a draft is canceled in wrap_up": {channel: "email", more: `"draft":true,"agent":"a1"`, given: []string{`disconnect`}, command: `a1: cancel`, a1: []string{"StatusChange Canceled"}},
		"a survey":                       {given: handling, command: `survey {"answers":{"q":1}}`},
		"a script's signal":              {given: handling, command: `a1: script_signal {"p1":"x"}`},
		"a disposition that lingers":     {given: after(handling, `a1: complete`), command: `set_disposition {"code":"SOLD"}`},
		"a pull from a workbin":          {channel: "email", given: after(handling, `a1: place_in_workbin {"workbin":"w"}`), command: `a2: accept`, a2: []string{"StatusChange Processing"}},
		"an offer while wrapping up":     {channel: "email", given: after(handling, `a1: transfer {"to":{"queue":"backup"},"wrap_up":true}`), command: `offer {"agent":"a1"}`, a1: []string{"StatusChange Invited"}},
		"that offer is missed":           {channel: "email", given: after(handling, `a1: transfer {"to":{"queue":"backup"},"wrap_up":true}`, `offer {"agent":"a1"}`), command: `[offer_timeout]`, a1: []string{"StatusChange Processing"}},
		"nobody takes part":              {given: nil, command: `place_in_queue {"queue":"sales"}`},
		"the far side answers":           {channel: "outbound", more: assigned, given: []string{`a1: dial`}, command: `connect`, a1: []string{"StatusChange Established"}},
		"the far side does not":          {channel: "outbound", more: assigned, given: []string{`a1: dial`}, command: `disconnect`, a1: []string{"StatusChange Released"}},
		"the lifetime of a chat ends":    {channel: "chat", given: handling, command: `[lifetime_timeout]`, a1: []string{"StatusChange Completed"}},
	} {
		t.Run(name, func(t *testing.T) {
			channel := row.channel
			if channel == "" {
				channel = "inbound"
			}
			var more []string
			if row.more != "" {
				more = append(more, row.more)
			}
			p, _ := started(t, start(channel, more...))
			p.do(row.given...)
			before, n := p.do(row.command)
			require.Equal(t, row.a1, orNil(told(t, before, n, "a1")), "a1")
			require.Equal(t, row.a2, orNil(told(t, before, n, "a2")), "a2")
			require.Empty(t, told(t, before, n, "a9"), "who has no part")
			require.Empty(t, told(t, before, n, ""), "nobody")
			for agent, gets := range map[string][]string{"a1": row.a1, "a2": row.a2} {
				if gets != nil {
					require.Contains(t, view.NewChange(before, n, nil).Agents(), agent)
				}
			}
		})
	}
}

func orNil(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

func TestTheFirstMessageIsStatusChange(t *testing.T) {
	_, n := started(t, start("email", draft))
	require.Equal(t, []string{"StatusChange Composing"}, told(t, nil, n, "a1"))
	p, _ := started(t, start("inbound"))
	_, n = p.do(offered...)
	require.Equal(t, []string{"StatusChange Ringing"}, told(t, nil, n, "a1"), "it is not known what was before")
}

// TestAllMayHaveChangedIfItIsNotKnownWhatWasBefore: a client reads the state from some types and user data from others.
func TestAllMayHaveChangedIfItIsNotKnownWhatWasBefore(t *testing.T) {
	for channel, want := range map[string]string{
		"inbound": "StatusChange ParticipantsUpdated AttachedDataChanged PropertiesUpdated", "chat": "StatusChange ParticipantsUpdated PropertiesUpdated",
		"email": "StatusChange PropertiesUpdated", "web": "StatusChange PropertiesUpdated",
	} {
		p, _ := started(t, start(channel))
		_, n := p.do(after(handling, `a1: script_signal {"p1":"x"}`)...)
		var types []string
		for _, line := range told(t, nil, n, "a1") {
			types = append(types, strings.Fields(line)[0])
		}
		require.Equal(t, want, strings.Join(types, " "))
	}
}

// TestTheEndOfAPartIsNamedWithoutTheStateBefore: a gateway that has just begun has the notice alone.
func TestTheEndOfAPartIsNamedWithoutTheStateBefore(t *testing.T) {
	for name, row := range map[string]struct {
		more    string
		given   []string
		command string
		agent   string
		want    string
	}{
		"missed":           {given: offered, command: `[offer_timeout]`, agent: "a1", want: "Revoked"},
		"withdrawn":        {given: offered, command: `place_in_queue {"queue":"backup"}`, agent: "a1", want: "Revoked"},
		"ended":            {given: offered, command: `abandon`, agent: "a1", want: "Revoked"},
		"a preview ended":  {given: previewed, command: `abandon`, agent: "a1", want: "Revoked"},
		"taken":            {given: offered[:1], command: `a2: accept`, agent: "a2", want: "Processing"},
		"own reject":       {given: offered, command: `reject {"agent":"a1"}`, agent: "a1", want: "Completed"},
		"completed":        {given: handling, command: `complete`, agent: "a1", want: "Completed"},
		"given away":       {given: handling, command: `a1: place_in_queue {"queue":"backup"}`, agent: "a1", want: "Completed"},
		"canceled draft":   {more: `"draft":true,"agent":"a1"`, command: `a1: cancel`, agent: "a1", want: "Canceled"},
		"canceled reply":   {more: draft, command: `cancel`, agent: "a1", want: "Canceled"},
		"canceled, no end": {given: handling, command: `cancel`, agent: "a1", want: "Completed"},
	} {
		t.Run(name, func(t *testing.T) {
			more := []string{}
			if row.more != "" {
				more = append(more, row.more)
			}
			p, _ := started(t, start("email", more...))
			p.do(row.given...)
			_, n := p.do(row.command)
			require.Equal(t, "StatusChange "+row.want, told(t, nil, n, row.agent)[0])
			if parts.Of(n.State, row.agent).Part == parts.None {
				require.Equal(t, row.want, view.Over(nil, n, row.agent, base).StateName())
				require.Empty(t, view.Over(nil, n, row.agent, base).Capabilities())
			}
		})
	}
}

func TestALargeStateIsGivenBesideTheNotice(t *testing.T) {
	p, _ := started(t, start("chat"))
	before, n := p.do(handling...)
	queried := &view.Look{State: n.State, CapabilitiesFor: n.CapabilitiesFor}
	whole := view.Notifications(before, n, "a1", base, nil)
	n.State, n.CapabilitiesFor, n.Revision = nil, nil, n.Revision-1
	require.Nil(t, view.Notifications(before, n, "a1", base, nil))
	require.Equal(t, whole, view.NewChange(before, n, queried).Notifications("a1", base, nil), "with the revision of the state")
	require.Nil(t, view.Over(nil, n, "a1", base))

	p.do(`a1: place_in_queue {"queue":"sales"}`, `offer {"agent":"a1"}`)
	before, n = p.do(`[offer_timeout]`)
	n.State = nil
	require.Equal(t, "Revoked", view.Over(before, n, "a1", base).StateName(), "of the last state that is known")
}

func TestPresentTellsTheStateOnBothTopics(t *testing.T) {
	l := look(t, start("inbound"), handling...)
	messages := view.Present(l, "a1", base)
	require.Len(t, messages, 2)
	for n, topic := range []string{"/v2/me/calls", "/v2/me/interactions"} {
		d := read(t, messages[n])
		require.Equal(t, topic, messages[n].Topic)
		require.Equal(t, "StatusChange", d.NotificationType)
		require.Equal(t, "Established", d.resource().State)
		require.NotEmpty(t, d.resource().Capabilities)
		require.Equal(t, json.Number("4"), d.Revision)
		require.Empty(t, d.ReferenceID)
	}
}

func TestAReferenceIsGivenBackAsItCame(t *testing.T) {
	p, _ := started(t, start("chat"))
	before, n := p.do(offered...)
	for reference, want := range map[string]string{`7`: `,"referenceId":7,`, `"x\"y"`: `,"referenceId":"x\"y",`, ``: `},"sequence":`} {
		for _, m := range view.Notifications(before, n, "a1", base, json.RawMessage(reference)) {
			require.Contains(t, string(m.Data), want)
		}
	}
}

func TestTheOwnerOfALeglessInteractionIsShown(t *testing.T) {
	l := look(t, start("chat"), after(handling, `a1: complete`)...)
	require.Equal(t, interaction.StateCompleted, l.State.State)
	encoded, err := json.Marshal(view.Of(l, "a2", base))
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"assignedTo":"a1"`)
}
