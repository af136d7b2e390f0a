package interaction_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"segue/interaction"
)

func TestErrorsOfPayloadsNameFieldValueAndRemedy(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33)
	for _, c := range []struct{ name, payload, want string }{
		{"accpet", ``, `accpet: no such command; did you mean accept?`},
		{"zzzzzzzzzzzzzzz", ``, `zzzzzzzzzzzzzzz: no such command; use one of place_in_queue, offer,`},
		{"accept", `nonsense`, `accept: nonsense: not JSON (`},
		{"accept", `{"agent":"a1"} {}`, `accept: {"agent":"a1"} {}: not JSON (invalid character '{' after top-level value); send one JSON object`},
		{"accept", `{"agent":"a1",}`, `not JSON`},
		{"accept", `["a1"]`, `accept: ["a1"]: not an object; send one JSON object with the command's fields`},
		{"accept", `"a1"`, `accept: "a1": not an object`},
		{"accept", `null`, `accept: null: not an object`},
		{"accept", `{"agent":"a1","agent":"a2"}`, `accept: agent: the key occurs twice; send it once`},
		{"survey", `{"answers":{"a":{"b":1,"b":2}}}`, `survey: answers.a.b: the key occurs twice; send it once`},
		{"accept", `{"agent":"a\u0000"}`, `accept: agent: "a\u0000": holds a NUL character; remove it`},
		{"survey", `{"answers":{"k\u0000":1}}`, `survey: answers.k\u0000: `},
		{"survey", `{"answers":` + deep + `}`, `nested deeper than 32 levels; flatten it`},
		{"survey", `{"answers":{"n":1e999}}`, `survey: answers.n: 1e999: the number is out of range; send it as a string`},
		{"accept", "{\"agent\":\"\xff\"}", `not JSON (invalid UTF-8); send one JSON object`},
		{"survey", `{"answers":{"a":"` + strings.Repeat("x", 260<<10) + `"}}`, `survey: the payload has 266260 bytes; send at most 262144`},
		{"attach_user_data", `{"user_data":{"a":"` + strings.Repeat("x", 65<<10) + `"}}`, `has 66568 bytes; keep it within 65536`},
		{"accept", `{"agent":"a\t1"}`, `accept: agent: "a\t1": holds a control character; remove it`},
		{"accept", `{"agent":"` + strings.Repeat("ä", 129) + `"}`, `has 258 bytes; send at most 256`},
		{"accept", `{"agent":{"id":""}}`, `accept: agent.id: "": is empty; send a text`},
		{"accept", `{"agent":{"id":true}}`, `accept: agent.id: true: not an agent's id; send a string or a number`},
		{"connect", `{"by":{"id":["a1"]}}`, `connect: by.id: ["a1"]: not an agent's id; send a string or a number`},
		{"connect", `{"by":{"id":"a\u0007","role":"agent"}}`, `connect: by.id: "a\u0007": holds a control character`},
		{"accept", `{"agent":{"name":"Ann"}}`, `accept: agent.id: is missing; name the agent`},
		{"accept", `{"agent":[7]}`, `accept: agent: [7]: not an agent; send its id, or {"id": …, "name": …}`},
		{"accept", `{"agent":{"id":"a1","bio":"` + strings.Repeat("x", 5<<10) + `"}}`, `describe an agent in at most 4096`},
		{"offer", `{}`, `offer: agent: is missing; send agent or agents`},
		{"offer", `{"agent":"a1","agents":["a2"]}`, `offer: agents: send agent or agents, not both`},
		{"offer", `{"agents":["a1","b\n2"]}`, `offer: agents[1]: "b\n2": holds a control character`},
		{"offer", `{"agents":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 51), ",") + `]}`, `has 51 agents; offer to at most 50 at once`},
		{"offer", `{"agent":"a1","timeout":30}`, `offer: timeout: 30: not a duration; send one as Go writes it, such as "45s" or "2m30s"`},
		{"offer", `{"agent":"a1","timeout":"-1s"}`, `offer: timeout: "-1s": not a duration`},
		{"offer", `{"agent":"a1","preview":"yes"}`, `offer: preview: "yes": not a boolean; send true or false`},
		{"place_in_queue", `{}`, `place_in_queue: queue: is missing; name the queue`},
		{"place_in_queue", `{"queue":""}`, `place_in_queue: queue: "": is empty; send a text`},
		{"place_in_queue", `{"queue":"a\nb"}`, `holds a control character; remove it`},
		{"place_in_queue", `{"queue":7}`, `place_in_queue: queue: 7: not a string; send text in quotes`},
		{"transfer", `{"to":{"agent":"a1","queue":"q"}}`, `not a target; send one of`},
		{"transfer", `{"to":"a1"}`, `transfer: to: "a1": not a target; send one of`},
		{"transfer", `{"to":{"agent":"a1"},"mode":"blind"}`, `transfer: mode: "blind": not known; use one of single_step, offer, consult`},
		{"complete", `{"disposition":{"notes":"n"}}`, `complete: disposition.code: is missing; send the disposition's code`},
		{"complete", `{"disposition":7}`, `complete: disposition: 7: not a disposition; send its code, or {"code": …, "notes": …}`},
		{"set_disposition", `{"disposition":"SOLD","code":"LOST"}`, `set_disposition: disposition: send code or disposition, not both`},
		{"set_disposition", `{"notes":"n"}`, `set_disposition: code: is missing; send code or disposition`},
		{"dtmf", `{"digits":"12x"}`, `dtmf: digits: "12x": not touch tones`},
		{"dtmf", `{"digits":12}`, `dtmf: digits: 12: not touch tones`},
		{"delete_user_data", `{}`, `delete_user_data: keys: is missing; send keys or user_data`},
		{"delete_user_data", `{"keys":[1]}`, `delete_user_data: keys[0]: 1: not a string; send the key in quotes`},
		{"place_in_workbin", `{"workbin":{}}`, `place_in_workbin: workbin: {}: not a workbin; send its name or an object that identifies it`},
		{"place_in_workbin", `{"workbin":"` + strings.Repeat("x", 3000) + `"}`, `has 3000 bytes; send at most 255`},
		{"place_in_workbin", `{"workbin":{"name":"` + strings.Repeat("x", 3000) + `"}}`, `place_in_workbin: workbin.name: "xxx`},
		{"place_in_workbin", `{"workbin":{"id":"` + strings.Repeat("ü", 128) + `"}}`, `has 256 bytes; send at most 255`},
		{"place_in_workbin", `{"workbin":{"workbinId":"a\tb"}}`, `place_in_workbin: workbin.workbinId: "a\tb": holds a control character; remove it`},
		{"place_in_queue", `{"queue":"` + strings.Repeat("x", 256) + `"}`, `has 256 bytes; send at most 255`},
		{"segment_change", `{"segment":"handeling"}`, `segment_change: segment: "handeling": not known; use one of interaction_starts,`},
		{"engage", `{}`, `engage: ixnProfile: is missing; send the notification's parameters as an object`},
		{"engage", `{"ixnProfile":"x"}`, `engage: ixnProfile: "x": not an object; send {…}`},
		{"engagement_result", `{"result":"maybe"}`, `engagement_result: result: "maybe": not known; use one of accepted, declined, timeout, failed, rejected`},
		{"connect", `{"at":"yesterday"}`, `connect: at: "yesterday": not a time; send RFC 3339, such as "2026-01-31T09:30:00Z"`},
		{"connect", `{"source_sequence":0}`, `connect: source_sequence: 0: not a sequence number; count from 1 in whole numbers`},
		{"connect", `{"source_sequence":1.5}`, `connect: source_sequence: 1.5: not a sequence number`},
		{"connect", `{"event_id":"` + strings.Repeat("x", 256) + `"}`, `has 256 bytes; send at most 255`},
		{"connect", `{"by":"a1"}`, `connect: by: "a1": not an actor; send {"id": …, "role": …}`},
		{"connect", `{"by":{"id":"a1","role":"boss"}}`, `connect: by.role: "boss": not known; use one of agent, supervisor, admin, platform`},
		{"connect", `{"by":{"role":"agent"}}`, `connect: by.id: is missing; an agent acts under its id`},
		{"accept", `{"agnet":"a1"}`, `accept: agnet: there is no such field; did you mean agent?`},
		{"accept", `{"agents":["a1"]}`, `accept: agents: there is no such field; did you mean agent?`},
		{"complete", `{"dispositoin":{"code":"SOLD"}}`, `complete: dispositoin: there is no such field; did you mean disposition?`},
		{"complete", `{"disposition":{"code":"SOLD","note":"n"}}`, `complete: disposition.note: there is no such field; did you mean notes?`},
		{"update_user_data", `{"userData":{"a":1}}`, `update_user_data: userData: there is no such field; did you mean user_data?`},
		{"dtmf", `{"digits":"1","eventId":"e1"}`, `dtmf: eventId: there is no such field; did you mean event_id?`},
		{"hold", `{"by":{"id":"a1","rol":"agent"}}`, `hold: by.rol: there is no such field; did you mean role?`},
		{"transfer", `{"to":{"queu":"sales"}}`, `transfer: to.queu: there is no such field; did you mean queue?`},
		{"transfer", `{"to":{"agent":"a1"},"wrapUp":true}`, `transfer: wrapUp: there is no such field; did you mean wrap_up?`},
		{"set_attributes", `{"comments":"x"}`, `set_attributes: comments: there is no such field; did you mean comment?`},
		{"segment_change", `{"segement":"handled"}`, `segment_change: segement: there is no such field; did you mean segment?`},
		{"connect", `{"source_sequnce":7}`, `connect: source_sequnce: there is no such field; did you mean source_sequence?`},
		{"[offer_timeout]", `{}`, `no such command`},
		{"offer_timeout", `{}`, `offer_timeout: no such command`},
		{"start", `{}`, `no such command`},
	} {
		_, err := interaction.Decode(c.name, []byte(c.payload))
		var invalid *interaction.InvalidError
		require.ErrorAs(t, err, &invalid, c.payload)
		require.ErrorContains(t, err, c.want)
		require.Less(t, len(err.Error()), 700)
	}
}

func TestErrorsOfStartsNameFieldValueAndRemedy(t *testing.T) {
	for payload, want := range map[string]string{
		``:                                `start: id: is missing; name the interaction`,
		`{"id":"a/b"}`:                    `start: id: "a/b": not an id`,
		`{"id":"i"}`:                      `start: contact_center: is missing; name the contact center`,
		`{"id":"i","contact_center":"c"}`: `start: channel: is missing; name the channel`,
		start("fax"):                      `start: channel: "fax": not known; use one of inbound, outbound, cloud_routing, track_number, chat, email, sms, web`,
		start("chat", `"customer":[]`):    `start: customer: []: not an object; send {…}`,
		start("chat", `"draft":true`):     `start: agent: is missing; a draft belongs to an agent`,
		start("chat", `"reopen":"true"`):  `start: reopen: "true": not a boolean; send true or false`,
		start("chat", `"qeue":"sales"`):   `start: qeue: there is no such field; did you mean queue?`,
		start("chat", `"businessProcess":"retail"`): `start: businessProcess: there is no such field; did you mean business_process?`,
		start("chat", `"direction":"up"`):           `start: direction: "up": not known; use one of inbound, outbound, internal`,
		longStart(128, 115):                         `: has 243 bytes together with contact_center; keep both together within 242`,
	} {
		_, err := interaction.DecodeStart([]byte(payload))
		var invalid *interaction.InvalidError
		require.ErrorAs(t, err, &invalid, payload)
		require.ErrorContains(t, err, want)
	}
}

// longStart returns a start with an id and a contact center of the given lengths.
func longStart(id, contactCenter int) string {
	return fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":"email"}`, strings.Repeat("i", id), strings.Repeat("c", contactCenter))
}

func TestNamesThatFitASearchAttributeAreAccepted(t *testing.T) {
	for _, command := range []struct{ name, payload string }{
		{"place_in_queue", `{"queue":"` + strings.Repeat("x", 255) + `"}`},
		{"place_in_workbin", `{"workbin":"` + strings.Repeat("x", 255) + `"}`},
		{"place_in_workbin", `{"workbin":{"name":"` + strings.Repeat("x", 255) + `","owner":"` + strings.Repeat("o", 3000) + `"}}`},
		{"place_in_workbin", `{"workbin":{"name":"","id":7}}`},
		{"connect", `{"event_id":"` + strings.Repeat("x", 255) + `"}`},
	} {
		_, err := interaction.Decode(command.name, []byte(command.payload))
		require.NoError(t, err)
	}
}

func TestDraftsOfInteractionsWithTheLongestIDsHaveValidIDs(t *testing.T) {
	for _, length := range []struct{ id, contactCenter int }{{128, 114}, {128, 1}, {126, 114}, {114, 128}, {112, 128}} {
		payload := longStart(length.id, length.contactCenter)
		s := opened(t, payload)
		s.do(`accept {"agent":"a1"}`)
		ids := map[string]bool{}
		for n := range 100 {
			draft := s.do(`reply`).Children[0]
			require.LessOrEqual(t, len("interaction/")+len(draft.ContactCenter)+1+len(draft.ID), 255)
			encoded, err := json.Marshal(draft)
			require.NoError(t, err)
			_, err = interaction.DecodeStart(encoded)
			require.NoError(t, err)
			require.True(t, strings.HasSuffix(draft.ID, fmt.Sprintf("~%d", n+1)), draft.ID)
			ids[draft.ID] = true
		}
		require.Len(t, ids, 100)
	}
	sibling := opened(t, strings.Replace(longStart(128, 114), "iii", "jii", 1))
	end := opened(t, longStart(128, 114))
	for _, s := range []*player{sibling, end} {
		s.do(`accept {"agent":"a1"}`)
	}
	require.NotEqual(t, sibling.do(`reply`).Children[0].ID, end.do(`reply`).Children[0].ID)
}

func TestDecodeReadsEnvelopeBodyAndFields(t *testing.T) {
	cmd, err := interaction.Decode("reject", []byte(`{"event_id":"e1","at":"2026-03-01T10:00:00+01:00","source_sequence":7,
		"by":{"id":"s1","role":"supervisor"},"agent":{"id":"a1","name":"Ann","team":"red"},"reason":"busy","extra":[1,{"x":12345678901234567890}],"queue":null}`))
	require.NoError(t, err)
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	require.Equal(t, interaction.Envelope{EventID: "e1", At: &at, SourceSequence: 7, By: &interaction.Actor{ID: "s1", Role: interaction.RoleSupervisor}}, cmd.Envelope)
	require.Equal(t, interaction.Reject{Agent: &interaction.Agent{ID: "a1", Name: "Ann", Fields: map[string]any{"team": "red"}}, Reason: "busy"}, cmd.Body)
	require.Equal(t, map[string]any{
		"agent": map[string]any{"id": "a1", "name": "Ann", "team": "red"}, "reason": "busy",
		"extra": []any{1.0, map[string]any{"x": json.Number("12345678901234567890")}}, "queue": nil,
	}, cmd.Fields)
}

func TestDecodeAcceptsEmptyAndUnknownFields(t *testing.T) {
	for _, payload := range []string{"", " \n", "{}", `{"agent":null}`, `{"agent":""}`, `{"by":{"id":"x"}}`, `{"by":{}}`} {
		cmd, err := interaction.Decode("complete", []byte(payload))
		require.NoError(t, err, payload)
		require.Equal(t, interaction.Complete{}, cmd.Body)
	}
	cmd, err := interaction.Decode("offer", []byte(`{"agents":["a1",{"id":"a1"},"a2"],"timeout":"45s"}`))
	require.NoError(t, err)
	require.Equal(t, interaction.Offer{Agents: []interaction.Agent{{ID: "a1"}, {ID: "a2"}}, Timeout: 45 * time.Second}, cmd.Body)
	cmd, err = interaction.Decode("segment_change", []byte(`{"segment":"handling.agent","agent":"a1"}`))
	require.NoError(t, err)
	require.Equal(t, interaction.SegmentReport{Segment: "handling", Leg: "agent", Agent: &interaction.Agent{ID: "a1"}}, cmd.Body)
}

func TestAgentsKeepEveryField(t *testing.T) {
	var agent interaction.Agent
	require.NoError(t, json.Unmarshal([]byte(`{"team":{"id":7},"id":"a1","name":"Ann","n":12345678901234567890}`), &agent))
	written, err := json.Marshal(agent)
	require.NoError(t, err)
	require.Equal(t, `{"id":"a1","n":12345678901234567890,"name":"Ann","team":{"id":7}}`, string(written))
	require.NoError(t, json.Unmarshal([]byte(`"a2"`), &agent))
	require.Equal(t, interaction.Agent{ID: "a2"}, agent)
	require.Error(t, json.Unmarshal([]byte(`{"name":"Ann"}`), &agent))
	require.Error(t, json.Unmarshal([]byte(`[7]`), &agent))
}

// Unknown fields are kept; only those that can hardly be anything but a misspelled field are
// refused.
func TestUnknownFieldsAreKept(t *testing.T) {
	for line, field := range map[string]string{
		`accept {"agent":"a1","agents":["a1"]}`:                                       "agents",
		`accept {"agent":{"id":"a1","nmae":"Ann","Team":"red"}}`:                      "agent",
		`accept {"agent":"a1","agency":"x"}`:                                          "agency",
		`accept {"agent_id":"7","agentName":"Ann","call_id":"c","uii":"u"}`:           "agent_id",
		`complete {"Disposition Code":"x","codes":["x"],"wrapup_time":3}`:             "Disposition Code",
		`queue_event {"event":"e","rank":3,"queued":true,"events":1}`:                 "events",
		`set_disposition {"code":"x","votes":1,"mode":"manual","callback":false}`:     "mode",
		`script_signal {"p1":"x","p21":"y","named":true,"name":"s"}`:                  "p21",
		`segment_change {"segment":"handled","partner":"b","legs":2,"leg":"channel"}`: "legs",
		`connect {"timestamp":"now","type":"x","id":"c1","at_ms":1,"buy":true}`:       "buy",
		`set_attributes {"command":"set_attributes","ani":"+1"}`:                      "command", // an element of the update "commands"
		`survey {"answers":{"agnet":1},"question":"q","score":5}`:                     "question",
	} {
		cmd := command(t, line)
		require.Contains(t, cmd.Fields, field, line)
	}
	read, err := interaction.DecodeStart([]byte(start("chat", `"queue":"sales","queues":["x"],"ani2":"+1","customer_id":7,"uii":"u","campaign_id":1`)))
	require.NoError(t, err)
	require.Contains(t, read.Fields, "campaign_id")
}

// An agent's id is data: platforms choose its form.
func TestAgentIDsAreStringsOrNumbers(t *testing.T) {
	schemas := compiled(t)
	for given, id := range map[string]string{
		`"rc.guest+15300002_1791@example.com"`: "rc.guest+15300002_1791@example.com",
		`"PJSIP/7009"`:                         "PJSIP/7009",
		`"arn:aws:connect:us-west-2:111122223333:instance/11111111-2222/agent/33333333-4444"`: "arn:aws:connect:us-west-2:111122223333:instance/11111111-2222/agent/33333333-4444",
		`1369310`:                            "1369310",
		`98765432109876543210`:               "98765432109876543210",
		`"EXAMPLE\\ada.l"`:                   "EXAMPLE\\ada.l",
		`"Ada O'Hara, Köln | 2"`:             "Ada O'Hara, Köln | 2",
		`"` + strings.Repeat("x", 256) + `"`: strings.Repeat("x", 256),
	} {
		for _, agent := range []string{given, `{"id":` + given + `,"team":"red"}`} {
			payload := `{"agent":` + agent + `,"by":{"id":` + given + `,"role":"agent"}}`
			document, err := jsonschema.UnmarshalJSON(strings.NewReader(payload))
			require.NoError(t, err)
			require.NoError(t, schemas["accept"].Validate(document), payload)

			s := opened(t, start("inbound", `"queue":"sales"`))
			s.do(queued[0], `offer {"agents":[`+agent+`,"a2"]}`)
			require.Equal(t, id, s.i.Status().OfferedTo[0].ID)
			s.do("accept "+payload, "hold "+payload)
			require.Equal(t, id, s.i.Status().Agent.ID)
			next := carriedOver(t, s.i)
			require.Contains(t, next.CapabilitiesFor(interaction.Actor{ID: id, Role: interaction.RoleAgent}), "transfer")
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("accept", []byte(`{"agent":"a1"}`))
	f.Add("transfer", []byte(`{"to":{"agent":{"id":"a"}},"mode":"offer"}`))
	f.Fuzz(func(t *testing.T, name string, payload []byte) {
		cmd, err := interaction.Decode(name, payload)
		if err != nil {
			var invalid *interaction.InvalidError
			require.ErrorAs(t, err, &invalid)
			return
		}
		i, _, err := interaction.Open(interaction.Start{ID: "i", ContactCenter: "c", Channel: "chat", Queue: "q"}, begin)
		require.NoError(t, err)
		_, _ = i.Apply(cmd, begin)
		for _, line := range talking {
			_, _ = i.Apply(command(t, line), begin)
		}
		_, _ = i.Apply(cmd, begin)
	})
}

func TestEveryCommandIsDescribedForPeople(t *testing.T) {
	for _, command := range append([]string{"start"}, interaction.Commands()...) {
		fields := interaction.Fields(command)
		for _, f := range append(fields, interaction.CommonFields()...) {
			require.NotEmpty(t, f.Type, "%s of %s", f.Name, command)
		}
		example := interaction.Example(command)
		require.Equal(t, len(fields) > 0 && !slices.Contains([]string{"disconnect", "abandon", "hold", "retrieve", "cancel"}, command), example != nil, command)
		payload, err := json.Marshal(example)
		require.NoError(t, err)
		if example == nil {
			payload = []byte("{}")
		}
		if command == "start" {
			_, err = interaction.DecodeStart(payload)
		} else {
			require.NotEmpty(t, interaction.LegalStates(command), command)
			_, err = interaction.Decode(command, payload)
		}
		require.NoError(t, err, command)
	}
	require.Nil(t, interaction.Fields("ring"))
	require.Nil(t, interaction.LegalStates("ring"))
}

func TestADispositionIsACodeOrAnObject(t *testing.T) {
	for _, c := range []struct {
		command, payload string
		body             any
	}{
		{"complete", `{"disposition":"SOLD"}`, interaction.Complete{Disposition: &interaction.Disposition{Code: "SOLD"}}},
		{"complete", `{"disposition":{"code":"SOLD","notes":"n"}}`, interaction.Complete{Disposition: &interaction.Disposition{Code: "SOLD", Notes: "n"}}},
		{"complete", `{"disposition":""}`, interaction.Complete{}},
		{"set_disposition", `{"disposition":"SOLD","notes":"n"}`, interaction.SetDisposition{Code: "SOLD", Notes: "n"}},
		{"set_disposition", `{"disposition":{"code":"SOLD","notes":"n"}}`, interaction.SetDisposition{Code: "SOLD", Notes: "n"}},
		{"set_disposition", `{"code":"SOLD","notes":"n"}`, interaction.SetDisposition{Code: "SOLD", Notes: "n"}},
	} {
		command, err := interaction.Decode(c.command, []byte(c.payload))
		require.NoError(t, err, c.payload)
		require.Equal(t, c.body, command.Body, c.payload)
	}
}
