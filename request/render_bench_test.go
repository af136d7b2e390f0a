package request_test

import (
	"testing"

	"segue/request"

	"github.com/stretchr/testify/require"
)

// body1K renders to about 1 KB with 20 expressions and data elements.
const body1K = `
id: ${interaction.id}
contact_center: ${interaction.contact_center}
channel: ${interaction.channel}
direction: ${interaction.direction}
state: ${interaction.state}
queue: ${interaction.queue}
ani: ${interaction.ani}
dnis: "#dnis#"
started: ${interaction.started_at}
event: {when: "${event.when}", segment: "${event.segment}", leg: "${event.leg}", sequence: "${event.sequence}", at: "${event.at}"}
agent: {id: "${agent.id}", name: "${agent.name}", team: "${agent.team}"}
customer: {id: "${interaction.customer.id}", tier: "${user_data.tier}", score: "${user_data.score}"}
durations: {queue: "${durations.queue}", handle: "${durations.handle}", total: "${durations.total}"}
note: "call from #ani# to #dnis# handled by ${agent.name} of team ${agent.team}"
text: Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat.
constant: {source: segue, version: 1, list: [1, 2, 3], description: "the quick brown fox jumps over the lazy dog"}
`

func template1K(t testing.TB) *request.Template {
	return compiled(t, call(t, body1K, func(s *request.Spec) {
		s.URL = "https://crm.example.com/calls/${interaction.id}"
		s.Query = pairs("seq", "${event.sequence}")
		s.Headers = pairs("X-Attempt", "${delivery.attempt}")
	}))
}

// Rendering a call with a body of 1 KB needs less than 100 allocations.
func TestRenderingAllocatesLittle(t *testing.T) {
	template, v, e := template1K(t), view(), event()
	r, err := template.Render("msg_1", v, e)
	require.NoError(t, err)
	require.Greater(t, len(r.Body), 900)
	require.Less(t, testing.AllocsPerRun(100, func() { _, err = template.Render("msg_1", v, e) }), 100.0)
	require.NoError(t, err)
}

// BenchmarkRender renders calls with each kind of body.
func BenchmarkRender(b *testing.B) {
	with := func(change func(*request.Spec)) *request.Template { return compiled(b, call(b, "", change)) }
	text := "${interaction.id} is ${interaction.state}, agent #agent_id#"
	for _, c := range []struct {
		name     string
		template *request.Template
	}{
		{"json", compiled(b, call(b, `{interaction: "${interaction.id}", command: "${event.command}", channel: "${interaction.channel}", agent: "${agent.id}"}`))},
		{"json 1K", template1K(b)},
		{"form", with(func(s *request.Spec) {
			s.Form = pairs("id", "${interaction.id}", "when", "${event.when}", "agent", "${agent.name}", "tier", "${user_data.tier}")
		})},
		{"xml", with(func(s *request.Spec) {
			s.XML = &request.XML{Root: "call", Body: tree(b, `{id: "${interaction.id}", when: "${event.when}", agent: {"@id": "${agent.id}", "#text": "${agent.name}"}}`)}
		})},
		{"soap", with(func(s *request.Spec) {
			s.SOAP = &request.SOAP{Action: "urn:Report", Namespace: "urn:crm", Operation: "Report",
				Body: tree(b, `{id: "${interaction.id}", when: "${event.when}", agent: "${agent.name}"}`)}
		})},
		{"text", with(func(s *request.Spec) { s.Text = &text })},
		{"query", with(func(s *request.Spec) {
			s.Method, s.Query = "GET", pairs("id", "${interaction.id}", "agent", "${agent.name}", "seq", "${event.sequence}")
		})},
	} {
		b.Run(c.name, func(b *testing.B) {
			v, e := view(), event()
			r, err := c.template.Render("msg_1", v, e)
			require.NoError(b, err)
			b.SetBytes(int64(len(r.URL) + len(r.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if r, err = c.template.Render("msg_1", v, e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
