package interaction_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

func report(fields string) string { return "segment_change {" + fields + "}" }

func TestReportRows(t *testing.T) {
	ended := []string{"inbound.agent_term", "interaction_ends.agent a1", "handled.business_process sales", "interaction_ends.channel", "inbound.call_end",
		"interaction_ends.business_process sales", "interaction_ends"}
	playRows(t, []row{
		{"agent_selecting", sales, nil, report(`"segment":"agent_selecting"`), "queued", []string{"agent_selecting.business_process sales", "agent_needed"}},
		{"agent_selecting again", sales, queued, report(`"segment":"agent_selecting"`), "queued", []string{}},
		{"agent_selecting elsewhere", sales, queued, report(`"segment":"agent_selecting","queue":"backup"`), "queued",
			[]string{"inbound.dequeue", "interaction_ends.business_process sales", "interaction_starts.business_process backup", "agent_selecting.business_process backup", "agent_needed"}},
		{"offered.agent", sales, queued, report(`"segment":"offered","leg":"agent","agent":"a1"`), "offered",
			[]string{"inbound.dequeue", "interaction_starts.agent a1", "offered.agent a1", "offered.business_process sales", "offered.channel"}},
		{"offered.agent, already", sales, ringing, report(`"segment":"offered.agent","agent":"a1"`), "offered", []string{}},
		{"preview", outbound, nil, report(`"segment":"preview","agent":"a1"`), "offered", []string{"interaction_starts.agent a1", "preview.agent a1", "offered.channel"}},
		{"handling.agent of an offer", sales, ringing, report(`"segment":"handling.agent","agent":"a1"`), "handling",
			[]string{"handling.agent a1", "handling.business_process sales", "handling.channel", "inbound.agent_connect"}},
		{"handling.agent opens what is missing", inbound, nil, report(`"segment":"handling","agent":"a1","queue":"sales"`), "handling",
			[]string{"interaction_starts.business_process sales", "interaction_starts.agent a1", "handling.agent a1", "handling.business_process sales", "handling.channel", "inbound.agent_connect"}},
		{"handling.agent of another", sales, talking, report(`"segment":"handling.agent","agent":"a2"`), "handling",
			[]string{"inbound.agent_term", "interaction_ends.agent a1", "interaction_starts.agent a2", "handling.agent a2", "inbound.agent_connect"}},
		{"handling.agent resumes", sales, consulted, report(`"segment":"handling.agent","agent":"a1"`), "handling", []string{"interaction_ends.agent a2", "handling.agent a1"}},
		{"handling.agent out of wrap-up", email, wrapping, report(`"segment":"handling.agent","agent":"a1"`), "handling", []string{"handling.agent a1"}},
		{"handling.channel", outbound, []string{`dial {"agent":"a1"}`}, report(`"segment":"handling.channel"`), "handling",
			[]string{"handling.agent a1", "handling.channel", "outbound.agent_connect"}},
		{"handling.channel in the queue touches its leg", sales, queued, report(`"segment":"handling.channel"`), "queued", []string{"handling.channel"}},
		{"consulting", sales, talking, report(`"segment":"consulting","agent":"a2"`), "consulting", []string{"consulting.agent a1", "interaction_starts.agent a2", "consulting.agent a2"}},
		{"in_conference", sales, consulted, report(`"segment":"in_conference"`), "conference", []string{"in_conference.agent a1", "in_conference.agent a2", "inbound.agent_connect"}},
		{"in_conference from the start", inbound, nil, report(`"segment":"in_conference","agent":"a1"`), "conference",
			[]string{"interaction_starts.agent a1", "handling.agent a1", "handling.channel", "inbound.agent_connect", "in_conference.agent a1"}},
		{"dialing", outbound, nil, report(`"segment":"dialing","agent":"a1"`), "dialing", []string{"interaction_starts.agent a1", "dialing.channel"}},
		{"rejected", sales, ringing, report(`"segment":"rejected","agent":"a1"`), "queued",
			[]string{"rejected.agent a1", "interaction_ends.agent a1", "agent_selecting.business_process sales", "agent_needed"}},
		{"rejected by an unknown agent", sales, queued, report(`"segment":"rejected","agent":"a9"`), "queued",
			[]string{"interaction_starts.agent a9", "rejected.agent a9", "interaction_ends.agent a9"}},
		{"missed", sales, ringing, report(`"segment":"missed"`), "queued",
			[]string{"missed.agent a1", "interaction_ends.agent a1", "agent_selecting.business_process sales", "agent_needed"}},
		{"overflow", sales, queued, report(`"segment":"overflow","queue":"backup"`), "queued",
			[]string{"overflow.business_process sales", "inbound.dequeue", "interaction_ends.business_process sales",
				"interaction_starts.business_process backup", "agent_selecting.business_process backup", "agent_needed"}},
		{"overflow and out", chat, queued, report(`"segment":"overflow"`), "completed(overflowed)",
			[]string{"overflow.business_process sales", "interaction_ends.channel", "chat.end", "interaction_ends.business_process sales", "interaction_ends"}},
		{"abandoned", sales, queued, report(`"segment":"abandoned"`), "completed(abandoned)",
			[]string{"inbound.dequeue", "abandoned.business_process sales", "interaction_ends.channel", "inbound.call_end", "interaction_ends.business_process sales", "interaction_ends"}},
		{"handled", sales, talking, report(`"segment":"handled"`), "completed(handled)", ended},
		{"interaction_ends", sales, talking, report(`"segment":"interaction_ends"`), "completed(handled)", ended},
		{"interaction_ends.channel", sales, talking, report(`"segment":"interaction_ends","leg":"channel"`), "wrap_up",
			[]string{"inbound.agent_term", "wrap_up.agent a1", "handled.business_process sales", "interaction_ends.channel", "inbound.call_end"}},
		{"interaction_ends.agent of the only one", sales, talking, report(`"segment":"interaction_ends.agent","agent":"a1"`), "completed(handled)", ended},
		{"interaction_ends.agent of a consulted one", sales, consulted, report(`"segment":"interaction_ends.agent","agent":"a2"`), "handling",
			[]string{"interaction_ends.agent a2", "handling.agent a1"}},
		{"interaction_ends.agent of an offer", sales, ringing, report(`"segment":"interaction_ends.agent","agent":"a1"`), "queued",
			[]string{"interaction_ends.agent a1", "agent_selecting.business_process sales", "agent_needed"}},
		{"interaction_ends.agent, already", sales, after(ringing, `reject {"agent":"a1"}`), report(`"segment":"interaction_ends.agent","agent":"a1"`), "queued", []string{}},
		{"interaction_ends.agent after wrap-up", sales, wrapping, report(`"segment":"interaction_ends.agent","agent":"a1"`), "completed(handled)",
			[]string{"interaction_ends.agent a1", "interaction_ends.business_process sales", "interaction_ends"}},
		{"wrap_up of the owner", sales, talking, report(`"segment":"wrap_up","agent":"a1"`), "wrap_up",
			[]string{"inbound.agent_term", "wrap_up.agent a1", "handled.business_process sales", "interaction_ends.channel", "inbound.call_end"}},
		{"wrap_up of another", sales, conferred, report(`"segment":"wrap_up","agent":"a2"`), "handling", []string{"inbound.agent_term", "wrap_up.agent a2", "handling.agent a1"}},
		{"interaction_starts.agent touches", sales, queued, report(`"segment":"interaction_starts","agent":"a1"`), "queued", []string{"interaction_starts.agent a1"}},
		{"offered.business_process touches", sales, queued, report(`"segment":"offered.business_process"`), "queued", []string{"inbound.dequeue", "offered.business_process sales"}},
		{"interaction_ends.business_process touches", sales, talking, report(`"segment":"interaction_ends.business_process"`), "handling", []string{"interaction_ends.business_process sales"}},
	})
}

// In every state, a report is accepted or refused with an error; it never panics.
func TestReportsAreLegalInEveryOpenState(t *testing.T) {
	situations := map[string][]string{
		"started": nil, "queued": queued, "offered": ringing, "handling": talking, "consulting": consulted, "conference": conferred,
		"wrap_up": wrapping, "in_workbin": after(talking, `place_in_workbin {"workbin":"w"}`), "dialing": {`dial {"agent":"a1"}`},
		"engaging": {`engage {"ixnProfile":{}}`},
	}
	refused := 0
	for state, given := range situations {
		for _, segment := range []string{
			"agent_selecting", "consulting", "in_conference", "wrap_up", "dialing", "rejected", "overflow", "missed", "preview", "abandoned", "handled",
			"interaction_starts.channel", "interaction_starts.agent", "interaction_starts.business_process", "offered.channel", "offered.business_process", "offered.agent",
			"handling.channel", "handling.business_process", "handling.agent", "interaction_ends", "interaction_ends.channel", "interaction_ends.business_process", "interaction_ends.agent",
		} {
			for _, agent := range []string{"a1", "a7"} {
				for _, channel := range []string{sales, email} {
					s := opened(t, channel)
					s.do(given...)
					require.EqualValues(t, state, s.i.Facts().State)
					_, err := s.try(report(fmt.Sprintf(`"segment":%q,"agent":%q`, segment, agent)))
					var illegal *interaction.IllegalError
					if err != nil {
						refused++
						require.ErrorAs(t, err, &illegal, "%s in %s", segment, state)
						require.Contains(t, []string{"rejected", "missed"}, segment, "%s in %s: %v", segment, state, err)
					}
				}
			}
		}
	}
	require.Positive(t, refused, "an agent who has taken it cannot have refused it")
}
