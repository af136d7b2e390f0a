package interaction_test

import (
	"fmt"
	"time"

	"segue/interaction"
)

// An inbound call is queued and offered to an agent, who accepts it. Each command moves
// legs through segments and fires moments.
func ExampleInteraction_Apply() {
	start, err := interaction.DecodeStart([]byte(`{"id":"i1","contact_center":"cc","channel":"inbound"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	call, _, err := interaction.Open(start, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, given := range []struct{ name, payload string }{
		{"place_in_queue", `{"queue":"sales"}`},
		{"offer", `{"agent":"a1"}`},
		{"accept", `{"agent":"a1"}`},
		{"accept", `{"agent":"a1"}`},
	} {
		now = now.Add(time.Second)
		command, err := interaction.Decode(given.name, []byte(given.payload))
		if err != nil {
			fmt.Println(err)
			return
		}
		effect, err := call.Apply(command, now)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s\n", given.name, call.Status().State)
		for _, event := range effect.Turn.Events {
			fmt.Printf("  %d %s %s %s\n", event.Sequence, event.Moment, event.Leg, event.Segment)
		}
	}
	// Output:
}
