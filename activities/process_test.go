package activities_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/config"
)

func TestAnInteractionWithoutABusinessProcessHasThatOfItsQueue(t *testing.T) {
	f := newFixture(t)
	set, err := config.Parse("test.yaml", []byte(strings.ReplaceAll(`
calls:
  - {name: all, method: POST, url: "URL/all", text: "process ${interaction.business_process}"}
  - {name: retail, method: POST, url: "URL/retail", text: "${interaction.business_process}"}
triggers:
  - {when: interaction_starts, call: all}
  - {when: interaction_starts, call: retail, business_processes: [retail], if: 'interaction.business_process == "retail"'}
queues: [{name: sales, business_process: retail}, {name: plain}]
`, "URL", f.receiver.URL)))
	require.NoError(t, err)
	f.Config = config.NewStore(set).Current
	for _, c := range []struct{ queue, own, want string }{
		{"sales", "", "process retail, retail"},
		{"sales", "banking", "process banking"},
		{"plain", "", "process "},
		{"unknown", "retail", "process retail, retail"},
		{"", "", "process "},
	} {
		in := turns("interaction_starts")
		facts := &in.Turns[0].View.Interaction
		facts.Queue, facts.BusinessProcess = c.queue, c.own
		f.renew()
		var bodies []string
		for _, delivery := range f.dispatch(t, in).Deliveries {
			bodies = append(bodies, delivery.Request.Body)
		}
		require.Equal(t, c.want, strings.Join(bodies, ", "), "queue %q, own process %q", c.queue, c.own)
		require.Equal(t, c.own, facts.BusinessProcess, "the input is only read")
	}
}
