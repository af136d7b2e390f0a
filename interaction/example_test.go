package interaction_test

import (
	"errors"
	"fmt"
	"time"

	"segue/interaction"
)

// An inbound call is queued and offered to an agent, who accepts it. Each command moves
// legs into segments and fires moments. A command that the state does not allow changes
// nothing.
func ExampleInteraction_Apply() {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	start, err := interaction.DecodeStart([]byte(`{"id":"i1","contact_center":"cc","channel":"inbound"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	call, _, err := interaction.Open(start, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"place_in_queue", "offer", "accept", "abandon"} {
		command, err := interaction.Decode(name, []byte(`{"queue":"sales","agent":"a1"}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		now = now.Add(time.Second)
		effect, err := call.Apply(command, now)
		var illegal *interaction.IllegalError
		if errors.As(err, &illegal) {
			fmt.Printf("%s is not legal in state %s\n", illegal.Command, illegal.State)
			return
		}
		fmt.Printf("%s → %s\n", name, call.Facts().State)
		for _, event := range effect.Turn.Events {
			if event.Moment == interaction.MomentSegmentChange {
				fmt.Printf("  %d %s: %s leg in %s\n", event.Sequence, event.Moment, event.Leg, event.Segment)
				continue
			}
			fmt.Printf("  %d %s\n", event.Sequence, event.Moment)
		}
	}
	// Output:
	// place_in_queue → queued
	//   3 segment_change: business_process leg in interaction_starts
	//   4 segment_change: business_process leg in agent_selecting
	//   5 agent_needed
	// offer → offered
	//   6 inbound.dequeue
	//   7 segment_change: agent leg in interaction_starts
	//   8 segment_change: agent leg in offered
	//   9 segment_change: business_process leg in offered
	//   10 segment_change: channel leg in offered
	// accept → handling
	//   11 segment_change: agent leg in handling
	//   12 segment_change: business_process leg in handling
	//   13 segment_change: channel leg in handling
	//   14 inbound.agent_connect
	// abandon is not legal in state handling
}
