package check_test

import (
	"strings"
	"testing"

	"segue/config/check"

	"github.com/stretchr/testify/require"
)

const conditioned = `
calls:
  - {name: c, method: POST, url: "https://crm.example.com/", text: "${interaction.id}"}
triggers:
  - {when: user_data_changed, call: c, if: 'CONDITION'}
`

// A condition that fails for any data never fires its trigger, and only the log of a worker
// would say so.
func TestReportWarnsOfConditionsThatAlwaysFail(t *testing.T) {
	for condition, want := range map[string]string{
		`user_data.n + 1 > 3`:                               "an operator or a function does not accept these types; a number in user data, survey or event is never a whole number (int): write 1.0 instead of 1, or int(…) around the field",
		`survey.csat * 2 >= 8`:                              "an operator or a function does not accept these types; ",
		`user_data.a - 1 > user_data.b - 1`:                 "an operator or a function does not accept these types; ",
		`user_data.n + 1.0 > 3`:                             "",
		`int(user_data.n) + 1 > 3`:                          "",
		`user_data.n > 3`:                                   "",
		`user_data.tier == "gold"`:                          "",
		`user_data.tier.startsWith("g") && user_data.n > 3`: "",
		`user_data.tags.exists(t, t == "vip")`:              "",
		`user_data.vip`:                                     "",
		`size(user_data.address) > 0`:                       "",
		`event.digits == "1" || has(user_data.none)`:        "",
		`interaction.channel == "chat"`:                     "",
	} {
		set := parsed(t, strings.Replace(conditioned, "CONDITION", condition, 1))
		warnings := check.NewReport(set).Warnings
		if want == "" {
			require.Empty(t, warnings, condition)
			continue
		}
		require.Len(t, warnings, 1, condition)
		require.Contains(t, warnings[0], "triggers[0].if (call c) can never be true: "+condition+" fails: "+want)
	}
}

// Open data may have any key, except one that is one slip away from a known field.
func TestReportWarnsOfMisspelledFields(t *testing.T) {
	for text, want := range map[string]string{
		"${agent.nme}":           "call c: there may never be a value for agent.nme (did you mean agent.name?)",
		"${previous_agent.Name}": "call c: there may never be a value for previous_agent.Name (did you mean previous_agent.name?)",
		"${event.wen}":           "call c: there may never be a value for event.wen (did you mean event.when?)",
		"${event.sequnce}":       "call c: there may never be a value for event.sequnce (did you mean event.sequence?)",
		"${agent.team}":          "",
		"${event.rank}":          "",
		"${user_data.nme}":       "",
	} {
		set := parsed(t, `
calls: [{name: c, method: POST, url: "https://crm.example.com/", text: "`+text+`"}]
triggers: [{when: interaction_ends, call: c}]
`)
		report := check.NewReport(set)
		if want == "" {
			require.Empty(t, report.Warnings, text)
			require.Contains(t, report.Calls[0].Samples[0].Request.Body, "<", "the sample has a value that the platform may send")
			continue
		}
		require.Contains(t, report.Warnings, want)
	}
	set := parsed(t, strings.Replace(conditioned, "CONDITION", `agent.nam == "Ada"`, 1))
	require.Contains(t, check.NewReport(set).Warnings, "triggers[0].if (call c): there may never be a value for agent.nam (did you mean agent.name?)")
}

// A sample has the fields of a fault at a fault only.
func TestSamplesHaveFaultsAtFaultsOnly(t *testing.T) {
	set := parsed(t, `
calls:
  - {name: c, method: POST, url: "https://crm.example.com/", text: "[${event.class}${event.of}]"}
  - {name: d, method: GET, url: "https://crm.example.com/"}
triggers:
  - {when: [interaction_ends, fault], call: c}
  - {when: interaction_ends, call: d}
`)
	report := check.NewReport(set)
	bodies := map[string]string{}
	for _, sample := range report.Calls[0].Samples {
		bodies[string(sample.Moment)] = sample.Request.Body
	}
	require.Equal(t, map[string]string{"interaction_ends": "[]", "fault": "[goneinteraction_starts]"}, bodies)
	require.Equal(t, []string{
		"call c at interaction_ends: a value for event.class, event.of only if the command that fires it has a field of that name; otherwise it is sent empty (missing: empty)",
	}, report.Warnings)
}
