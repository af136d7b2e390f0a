package lanes_test

import (
	"context"
	"fmt"
	"log"

	"segue/client/lanes"
	"segue/contract"
)

// Redeliver every delivery of a call that is parked.
func ExampleSend() {
	ctx := context.Background()
	source := newNamespace() // a namespace in memory
	source.add("ixn-1", contract.StatusParked, contract.StatusWaiting)
	source.add("call-2", contract.StatusParked)

	filter := lanes.Filter{Call: "crm", Parked: true}
	found, err := lanes.Find(ctx, source, filter, 1000, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, delivery := range found.Deliveries {
		fmt.Printf("%s of %s/%s is %s: %s\n", delivery.ID, delivery.ContactCenter, delivery.Interaction, delivery.Status, delivery.Class)
	}

	result, err := lanes.Send(ctx, source, filter, found, lanes.Operation{Signal: contract.SignalRedeliver, By: "ada", Rate: 50})
	if err != nil {
		log.Fatal(err) // Send stopped early: find and send again
	}
	fmt.Printf("%d of %d signals sent\n", result.Sent, result.Matched)
	// Output:
	// ixn-1-d1 of cc/ixn-1 is parked: gone
	// call-2-d1 of cc/call-2 is parked: gone
	// 2 of 2 signals sent
}
