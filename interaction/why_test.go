package interaction_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// whyIllegal is the reason of a refusal; "" if the command is legal.
func whyIllegal(t *testing.T, err error) interaction.Why {
	if err == nil {
		return ""
	}
	var illegal *interaction.IllegalError
	require.ErrorAs(t, err, &illegal)
	return illegal.Why
}

// unmet are the situations whose state fits a command that lacks something else there.
var unmet = map[string]string{
	"retrieve": "handling conference", "set_disposition": "started queued engaging",
}

func TestARefusalHasItsReasonForPrograms(t *testing.T) {
	agent := interaction.Actor{ID: "a9", Role: interaction.RoleAgent}
	for _, situation := range situations {
		for _, c := range legalIn {
			s := opened(t, situation.start)
			s.do(situation.given...)
			cmd := command(t, c.line)
			why := func(by *interaction.Actor) interaction.Why {
				cmd.By = by
				return whyIllegal(t, s.i.Check(cmd))
			}
			platform := why(nil)
			if platform != "" {
				want := interaction.WhyState
				if slices.Contains(strings.Fields(unmet[cmd.Name]), situation.state) {
					want = interaction.WhyNeeds
				}
				require.Equal(t, want, platform, "%s in %s", cmd.Name, situation.state)
			}
			require.Equal(t, platform, why(&interaction.Actor{ID: "s", Role: interaction.RoleAdmin}))

			supervisor := platform
			if slices.Contains(notForSupervisors, cmd.Name) {
				supervisor = interaction.WhyRole
			}
			require.Equal(t, supervisor, why(&interaction.Actor{ID: "s", Role: interaction.RoleSupervisor}), "%s in %s", cmd.Name, situation.state)

			stranger := platform
			switch {
			case slices.Contains(notForAgents, cmd.Name), cmd.Name == "cancel" && platform == "" && situation.start != draft:
				stranger = interaction.WhyRole
			case cmd.Name == "dial" && situation.state == "started":
				stranger = "" // any agent may begin with it
			case platform == "":
				stranger = interaction.WhyAgent
			}
			require.Equal(t, stranger, why(&agent), "%s in %s, by an agent who has nothing to do with it", cmd.Name, situation.state)
		}
	}
}

func TestAnEffectThatRefusesHasItsReasonForPrograms(t *testing.T) {
	const byA1, byA2 = `"by":{"id":"a1","role":"agent"}`, `"by":{"id":"a2","role":"agent"}`
	for _, c := range []struct {
		start string
		given []string
		line  string
		want  interaction.Why
	}{
		{start("cloud_routing"), []string{"connect"}, `consult {"to":{"agent":"a2"}}`, interaction.WhyNeeds},
		{start("cloud_routing"), []string{"connect"}, `reply`, interaction.WhyNeeds},
		{sales, talking, `consult {"to":{"agent":"a1"}}`, interaction.WhyNeeds},
		{sales, talking, `transfer {"to":{"agent":"a1"}}`, interaction.WhyNeeds},
		{sales, talking, `transfer {"mode":"consult"}`, interaction.WhyNeeds},
		{sales, consulted, `transfer {"to":{"agent":"a5"},"mode":"consult"}`, interaction.WhyNeeds},
		{sales, queued, `transfer {"to":{"agent":"a1"}}`, interaction.WhyNeeds},
		{sales, after(conferred, `hold {"agent":"a1"}`), `retrieve {"agent":"a2"}`, interaction.WhyNeeds},
		{sales, after(conferred, `hold {"agent":"a2"}`), `retrieve {` + byA1 + `}`, interaction.WhyNeeds},
		{sales, talking, `retrieve {` + byA1 + `}`, interaction.WhyNeeds},
		{sales, queued, `segment_change {"segment":"consulting"}`, interaction.WhyNeeds},
		{sales, ringing, `accept {"agent":"a9"}`, interaction.WhyAgent},
		{sales, ringing, `reject {"agent":"a9"}`, interaction.WhyAgent},
		{sales, ringing, `accept {"agent":"a1",` + byA2 + `}`, interaction.WhyAgent},
		{sales, talking, `hold {"agent":"a2"}`, interaction.WhyAgent},
		{sales, talking, `hold {"agent":"a2",` + byA1 + `}`, interaction.WhyAgent},
		{sales, talking, `dial {"agent":"a2"}`, interaction.WhyAgent},
		{sales, talking, `complete {"agent":"a2"}`, interaction.WhyAgent},
		{sales, conferred, `leave {"agent":"a9"}`, interaction.WhyAgent},
		{sales, talking, `segment_change {"segment":"rejected","agent":"a1"}`, interaction.WhyAgent},
		{sales, wrapping, `[wrap_up_timeout] {"Agent":"a9"}`, interaction.WhyAgent},
		{sales, talking, `cancel {` + byA1 + `}`, interaction.WhyRole},
		{sales, talking, `offer {"agent":"a2",` + byA1 + `}`, interaction.WhyRole},
		{sales, after(queued, `abandon`), `offer {"agent":"a2",` + byA1 + `}`, interaction.WhyRole},
	} {
		s := opened(t, c.start)
		s.do(c.given...)
		_, err := s.try(c.line)
		require.Equal(t, c.want, whyIllegal(t, err), c.line)
	}
}

func TestAnInvalidPayloadHasItsReasonForPrograms(t *testing.T) {
	large := func(size int) string { return strings.Repeat("x", size) }
	for _, c := range []struct {
		name, payload string
		want          interaction.Why
		field         string
	}{
		{"dance", `{}`, interaction.WhyUnknown, ""},
		{"place_in_queue", `{}`, interaction.WhyMissing, "queue"},
		{"place_in_queue", `{"queue":""}`, interaction.WhyMissing, "queue"},
		{"place_in_queue", `{"queue":null}`, interaction.WhyMissing, "queue"},
		{"place_in_queue", `{"queue":7}`, interaction.WhyInvalid, "queue"},
		{"place_in_queue", `{"queu":"sales"}`, interaction.WhyInvalid, "queu"},
		{"place_in_queue", `{"queue":"` + large(300) + `"}`, interaction.WhyTooLarge, "queue"},
		{"place_in_queue", `{"queue":"sales","event_id":"` + large(300) + `"}`, interaction.WhyTooLarge, "event_id"},
		{"place_in_queue", `{"queue":"sales","by":{"role":"agent"}}`, interaction.WhyMissing, "by.id"},
		{"place_in_queue", `{"queue":"sales","by":{"role":"boss"}}`, interaction.WhyInvalid, "by.role"},
		{"place_in_queue", `{"queue":"sales","at":"today"}`, interaction.WhyInvalid, "at"},
		{"place_in_queue", `{"queue":"sales","source_sequence":0}`, interaction.WhyInvalid, "source_sequence"},
		{"place_in_queue", `7`, interaction.WhyInvalid, ""},
		{"place_in_queue", `{`, interaction.WhyInvalid, ""},
		{"place_in_queue", `{"queue":"a","queue":"b"}`, interaction.WhyInvalid, "queue"},
		{"attach_user_data", `{"user_data":{"a":"` + large(70<<10) + `"}}`, interaction.WhyTooLarge, "user_data"},
		{"attach_user_data", `{"user_data":{"a":"` + large(300<<10) + `"}}`, interaction.WhyTooLarge, ""},
		{"attach_user_data", `{"user_data":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, interaction.WhyTooLarge, "user_data[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][…"},
		{"delete_user_data", `{}`, interaction.WhyMissing, "keys"},
		{"delete_user_data", `{"keys":[7]}`, interaction.WhyInvalid, "keys[0]"},
		{"delete_user_data", `{"keys":[` + strings.Repeat(`"a",`, 1000) + `"a"]}`, interaction.WhyTooLarge, "keys"},
		{"offer", `{}`, interaction.WhyMissing, "agent"},
		{"offer", `{"agent":"a","agents":["b"]}`, interaction.WhyInvalid, "agents"},
		{"offer", `{"agents":[` + strings.Repeat(`"a",`, 50) + `"a"]}`, interaction.WhyTooLarge, "agents"},
		{"offer", `{"agents":["a",{}]}`, interaction.WhyMissing, "agents[1].id"},
		{"offer", `{"agent":{"id":"a","team":"` + large(5<<10) + `"}}`, interaction.WhyTooLarge, "agent"},
		{"consult", `{"to":{}}`, interaction.WhyMissing, "to"},
		{"consult", `{"to":{"agent":"a","number":"1"}}`, interaction.WhyInvalid, "to"},
		{"dtmf", `{"digits":"x"}`, interaction.WhyInvalid, "digits"},
		{"dtmf", `{"digits":"` + strings.Repeat("1", 65) + `"}`, interaction.WhyTooLarge, "digits"},
		{"start", `{"contact_center":"cc","channel":"inbound"}`, interaction.WhyMissing, "id"},
		{"start", start("email", `"draft":true`), interaction.WhyMissing, "agent"},
		{"start", `{"id":"` + large(128) + `","contact_center":"` + large(128) + `","channel":"inbound"}`, interaction.WhyTooLarge, "id"},
	} {
		var err error
		if c.name == "start" {
			_, err = interaction.DecodeStart([]byte(c.payload))
		} else {
			_, err = interaction.Decode(c.name, []byte(c.payload))
		}
		var invalid *interaction.InvalidError
		require.ErrorAs(t, err, &invalid, c.payload)
		require.Equal(t, c.want, invalid.Why, "%s %.80s: %v", c.name, c.payload, err)
		require.Equal(t, c.field, invalid.Field, "%s %.80s", c.name, c.payload)
	}
}

func TestAnEffectThatFindsAFieldInvalidHasItsReasonForPrograms(t *testing.T) {
	for _, c := range []struct {
		given []string
		line  string
		want  interaction.Why
	}{
		{talking, `transfer {}`, interaction.WhyMissing},
		{talking, `conference {}`, interaction.WhyMissing},
		{ringing, `accept {}`, interaction.WhyMissing},
		{talking, `segment_change {"segment":"handling"}`, interaction.WhyMissing},
		{talking, `consult {"to":{"queue":"q"}}`, interaction.WhyInvalid},
		{talking, `transfer {"to":{"queue":"q"},"mode":"offer"}`, interaction.WhyInvalid},
		{talking, `set_disposition {"code":"x","agent":"a9"}`, interaction.WhyInvalid},
		{after(talking, `attach_user_data {"user_data":`+manyKeys("a", 1000)+`}`), `attach_user_data {"user_data":{"b":1}}`, interaction.WhyTooLarge},
		{after(talking, `survey {"answers":`+manyKeys("a", 1000)+`}`), `survey {"answers":{"b":1}}`, interaction.WhyTooLarge},
	} {
		s := opened(t, sales)
		s.do(c.given...)
		_, err := s.try(c.line)
		var invalid *interaction.InvalidError
		require.ErrorAs(t, err, &invalid, c.line)
		require.Equal(t, c.want, invalid.Why, c.line)
	}
}
