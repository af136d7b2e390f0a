package interaction_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

func TestDataRows(t *testing.T) {
	sold := `set_disposition {"code":"SOLD"}`
	known := []string{`attach_user_data {"user_data":{"tier":"gold","address":{"city":"Ulm","zip":"89073"}}}`}
	playRows(t, []row{
		{"disposition of a call", sales, talking, sold, "handling", []string{"inbound.disposition"}},
		{"disposition of an outbound call", outbound, []string{`accept {"agent":"a1"}`}, sold, "handling", []string{"outbound.disposition"}},
		{"disposition of a chat", chat, talking, sold, "handling", []string{"chat.disposition"}},
		{"disposition of an email", email, talking, sold, "handling", []string{}},
		{"the same code again", sales, after(talking, sold), `set_disposition {"code":"SOLD","notes":"more"}`, "handling", []string{}},
		{"another agent's code", sales, after(conferred, sold), `set_disposition {"code":"SOLD","agent":"a2"}`, "conference", []string{"inbound.disposition"}},
		{"a late one", sales, after(wrapping, `complete`), sold, "completed(handled)", []string{"inbound.disposition"}},
		{"attach", inbound, nil, known[0], "started", []string{"user_data_changed"}},
		{"attach nothing new", inbound, known, `attach_user_data {"user_data":{"tier":"silver"}}`, "started", []string{}},
		{"attach inside", inbound, known, `attach_user_data {"user_data":{"address":{"street":"x"}}}`, "started", []string{"user_data_changed"}},
		{"update", inbound, known, `update_user_data {"user_data":{"tier":"silver"}}`, "started", []string{"user_data_changed"}},
		{"update to the same", inbound, known, `update_user_data {"user_data":{"tier":"gold"}}`, "started", []string{}},
		{"delete", inbound, known, `delete_user_data {"keys":["tier"]}`, "started", []string{"user_data_changed"}},
		{"delete what is not there", inbound, known, `delete_user_data {"keys":["x"]}`, "started", []string{}},
		{"delete inside", inbound, known, `delete_user_data {"user_data":{"address":{"zip":0}}}`, "started", []string{"user_data_changed"}},
		{"user data late", sales, after(wrapping, `complete`), known[0], "completed(handled)", []string{"user_data_changed"}},
		{"survey", inbound, nil, `survey {"answers":{"q1":5}}`, "started", []string{"survey"}},
		{"queue event of a call", sales, queued, `queue_event {"event":"PLAY-AUDIO-LOOP:holdmusic"}`, "queued", []string{"inbound.queue_event"}},
		{"queue event of a chat", chat, queued, `queue_event {"event":"x"}`, "queued", []string{"chat.queue_event"}},
		{"queue event of an email", email, queued, `queue_event {"event":"x"}`, "queued", []string{}},
		{"dtmf", sales, queued, `dtmf {"digits":"12#"}`, "queued", []string{"inbound.dtmf"}},
		{"dtmf of a chat", chat, queued, `dtmf {"digits":"12#"}`, "queued", []string{}},
		{"script signal", sales, talking, `script_signal {"p1":"x"}`, "handling", []string{"script_signal"}},
		{"signal added", sales, talking, `signal_added {"name":"s","tooltip":"t","p1":"x"}`, "handling", []string{}},
		{"signal removed", sales, talking, `signal_removed {"name":"s"}`, "handling", []string{}},
		{"attributes", sales, nil, `set_attributes {"native_id":"n"}`, "started", []string{}},
	})
}

func TestUserDataMerges(t *testing.T) {
	s := opened(t, start("inbound", `"user_data":{"tier":"gold","address":{"city":"Ulm","zip":"89073"}}`))
	check := func(line, want string) {
		t.Helper()
		s.do(line)
		got, err := json.Marshal(s.i.Status().UserData)
		require.NoError(t, err)
		require.JSONEq(t, want, string(got), line)
	}
	check(`attach_user_data {"user_data":{"tier":"silver","id":12345678901234567890,"address":{"street":"x"}}}`,
		`{"tier":"gold","id":12345678901234567890,"address":{"city":"Ulm","zip":"89073","street":"x"}}`)
	check(`update_user_data {"user_data":{"tier":"silver","address":{"zip":"1"}}}`,
		`{"tier":"silver","id":12345678901234567890,"address":{"city":"Ulm","zip":"1","street":"x"}}`)
	check(`delete_user_data {"keys":["id"],"user_data":{"address":{"zip":null,"street":{}}}}`, `{"tier":"silver","address":{"city":"Ulm"}}`)
	check(`delete_user_data {"user_data":{"address":{}}}`, `{"tier":"silver"}`)
	changed, err := s.i.Return(map[string]any{"crm_tier": "A"})
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, map[string]any{"tier": "silver", "crm_tier": "A"}, s.i.Status().UserData)
}

func TestADispositionHasTheSurvey(t *testing.T) {
	s := opened(t, sales)
	event := s.do(after(talking, `survey {"answers":{"q1":5}}`, `survey {"answers":{"q2":"x"}}`, `set_disposition {"code":"SOLD","notes":"n"}`)...).Turn.Events[0]
	require.Equal(t, map[string]any{"code": "SOLD", "notes": "n", "survey": map[string]any{"q1": 5.0, "q2": "x"}}, event.Fields)
	require.Equal(t, "a1", event.Agent.ID)
	require.Equal(t, &interaction.Disposition{Code: "SOLD", Notes: "n", Agent: "a1", At: s.now}, s.i.Status().Disposition)
}

func TestTheStateShowsSignalsAndAttributes(t *testing.T) {
	s := opened(t, sales)
	s.do(`signal_added {"name":"b","p2":"two"}`, `signal_added {"name":"a","tooltip":"tip"}`, `signal_added {"name":"b","p3":"three"}`,
		`set_attributes {"native_id":"n1","ani":"+1","customer":{"vip":true},"comment":"hi"}`)
	got, err := json.Marshal(s.i.Status())
	require.NoError(t, err)
	var state map[string]any
	require.NoError(t, json.Unmarshal(got, &state))
	require.Equal(t, []any{map[string]any{"name": "a", "tooltip": "tip"}, map[string]any{"name": "b", "p3": "three"}}, state["signals"])
	require.Equal(t, "n1", state["native_id"])
	require.Equal(t, "hi", state["comment"])
	require.Equal(t, map[string]any{"vip": true}, state["customer"])
	s.do(`signal_removed {"name":"b"}`)
	require.Len(t, s.i.Status().Signals, 1)
}

func TestEngagementRows(t *testing.T) {
	engage := `engage {"ixnProfile":{"visitID":"v"}}`
	engaged := []string{engage}
	playRows(t, []row{
		{"engage", web, nil, engage, "engaging", []string{"engage"}},
		{"engage again", web, engaged, engage, "engaging", []string{"engage"}},
		{"noengage", web, nil, `noengage {"cancelData":{}}`, "completed(not_engaged)", []string{"noengage", "interaction_ends.channel", "interaction_ends"}},
		{"accepted with an agent", web, engaged, `engagement_result {"result":"accepted","agent":"a1"}`, "handling",
			[]string{"engagement_result", "interaction_starts.agent a1", "handling.agent a1", "handling.channel", "chat.agent_connect"}},
		{"accepted with a queue", web, engaged, `engagement_result {"result":"accepted","queue":"sales"}`, "queued",
			[]string{"engagement_result", "interaction_starts.business_process sales", "agent_selecting.business_process sales", "chat.new", "agent_needed"}},
		{"accepted", web, engaged, `engagement_result {"result":"accepted"}`, "started", []string{"engagement_result"}},
		{"accepted, a call back", web, []string{`engage {"ixnProfile":{"engagement_type":"webcallback"}}`}, `engagement_result {"result":"accepted","agent":"a1"}`, "handling",
			[]string{"engagement_result", "interaction_starts.agent a1", "handling.agent a1", "handling.channel", "outbound.agent_connect"}},
		{"declined", web, engaged, `engagement_result {"result":"rejected"}`, "completed(not_engaged)", []string{"engagement_result", "interaction_ends.channel", "interaction_ends"}},
		{"failed", web, engaged, `engagement_result {"result":"failed"}`, "completed(not_engaged)", []string{"engagement_result", "interaction_ends.channel", "interaction_ends"}},
		{"engagement timer", web, engaged, `[engagement_timeout]`, "completed(not_engaged)", []string{"engagement_result", "interaction_ends.channel", "interaction_ends"}},
		{"the visitor leaves", web, engaged, `disconnect`, "completed(not_engaged)", []string{"interaction_ends.channel", "interaction_ends"}},
	})
}

func TestReplyStartsADraft(t *testing.T) {
	s := opened(t, start("email", `"queue":"sales","customer":{"name":"Zoe"},"ani":"zoe@example.com"`))
	effect := s.do(after(talking, `reply {"all":true,"note":"n","user_data":{"subject":"Re"},"event_id":"r1","by":{"id":"a1","role":"agent"}}`)...)
	require.Empty(t, effect.Turn.Events)
	require.Len(t, effect.Children, 1)
	require.Equal(t, []string{"i1~1"}, s.i.Status().Children)

	payload, err := json.Marshal(effect.Children[0])
	require.NoError(t, err)
	child := opened(t, string(payload))
	begun, err := interaction.DecodeStart(payload)
	require.NoError(t, err)
	require.Equal(t, "r1", begun.EventID)
	require.Equal(t, &interaction.Actor{ID: "a1", Role: interaction.RoleAgent}, begun.By)
	require.Equal(t, map[string]any{"all": true, "note": "n"}, begun.Fields["reply"])
	require.Equal(t, []string{"interaction_starts.channel", "interaction_starts.agent a1", "handling.agent a1", "interaction_starts"}, child.opened)
	state := child.i.Status()
	require.Equal(t, interaction.StateComposing, state.State)
	require.Equal(t, "i1", state.Parent)
	require.Equal(t, "outbound", state.Direction)
	require.Equal(t, "a1", state.Agent.ID)
	require.Equal(t, map[string]any{"subject": "Re"}, state.UserData)

	numbered := command(t, `reply`)
	numbered.EventID = "\n7 reply" // what identifies a command by its number is no event id
	effect, err = s.i.Apply(numbered, s.now)
	require.NoError(t, err)
	require.Equal(t, "i1~2", effect.Children[0].ID)
	require.Empty(t, effect.Children[0].EventID)
	require.Nil(t, effect.Children[0].Reply)
}

func TestCommandsBeyondTheBoundsAreRefused(t *testing.T) {
	big := fmt.Sprintf(`{"user_data":{"a":%q}}`, strings.Repeat("x", 40<<10))
	s := opened(t, sales)
	s.do(talking...)
	s.do("attach_user_data " + big)
	_, err := s.try("attach_user_data " + strings.Replace(big, `"a"`, `"b"`, 1))
	require.EqualError(t, err, "attach_user_data: user_data: all user data together has 81935 bytes; keep it within 65536")

	for n := range 100 {
		s.do(fmt.Sprintf(`signal_added {"name":"s%d"}`, n), `reply`)
	}
	_, err = s.try(`signal_added {"name":"more"}`)
	require.ErrorContains(t, err, "signals are available, and that is the most")
	_, err = s.try(`reply`)
	require.ErrorContains(t, err, "replies, and that is the most")
	require.NotContains(t, s.i.Capabilities(), "reply")

	for n := 2; n <= 63; n++ {
		s.do(fmt.Sprintf(`conference {"agent":"a%d"}`, n))
		if n == 62 {
			break
		}
	}
	_, err = s.try(`conference {"agent":"one-too-many"}`)
	require.ErrorContains(t, err, "64 legs are open")
	require.Len(t, s.i.Status().Participants, 62)
}
