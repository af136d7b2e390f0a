package request_test

import (
	"fmt"
	"time"

	"segue/interaction"
	"segue/request"

	"go.yaml.in/yaml/v3"
)

// A call is compiled once and rendered for each event that fires it. Values are escaped for
// the place where they are written, and a string that is one expression keeps its type.
func ExampleCompile() {
	var body yaml.Node
	if err := yaml.Unmarshal([]byte(`{id: "${interaction.id}", tier: "${user_data.tier}", handled: "${durations.handle}", note: "from #ani#"}`), &body); err != nil {
		fmt.Println(err)
		return
	}
	template, err := request.Compile(request.Spec{
		Name: "crm", Method: "POST", URL: "https://crm.example.com/calls/${interaction.id}", JSON: body.Content[0],
		Headers: []request.Pair{{Name: "X-Attempt", Value: "${delivery.attempt}"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	view := &interaction.View{
		Interaction: interaction.Facts{ID: "call 1/2", ANI: "+15550100123"},
		UserData:    map[string]any{"tier": `"gold"`},
		Durations:   interaction.Durations{Handle: 95},
	}
	event := &interaction.Event{Moment: interaction.MomentInteractionEnds, Sequence: 7, At: time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)}
	rendered, err := template.Render("msg_1", view, event)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rendered.Method, rendered.URL)
	for _, h := range rendered.Headers {
		fmt.Println(h.Name+":", h.Text(1))
	}
	fmt.Println(rendered.Body)
	// Output:
	// POST https://crm.example.com/calls/call%201%2F2
	// Content-Type: application/json
	// User-Agent: segue
	// webhook-id: msg_1
	// Idempotency-Key: msg_1
	// X-Attempt: 1
	// {"id":"call 1/2","tier":"\"gold\"","handled":95,"note":"from +15550100123"}
}

// The error of Compile names every mistake with its place and what to write instead.
func ExampleCompile_mistakes() {
	text := "${interaction.chanel}"
	_, err := request.Compile(request.Spec{Name: "crm", Method: "FETCH", URL: "https://crm.example.com/", Text: &text})
	fmt.Println(err)
	// Output:
	// method: "FETCH" is not a method; use GET, POST, PUT, PATCH, DELETE, TRACE, HEAD, OPTIONS
	// text: column 14: there is no field chanel in ${interaction.chanel}; did you mean channel?
}
