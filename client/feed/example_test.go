package feed_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"segue/client/feed"
)

func ExampleRun() {
	lines := strings.NewReader(`{"interaction":"ixn-1","command":"start","channel":"inbound"}
{"interaction":"ixn-1","command":"place_in_queue","queue":"sales"}
{"interaction":"call-2","command":"abandon"}
`)
	// A program passes a *client.Client; newCenter is one in memory.
	result, err := feed.Run(context.Background(), newCenter(), lines, feed.Options{ContactCenter: "default"})
	if err != nil {
		log.Fatal(err) // the feed stopped early: run it again
	}
	fmt.Println(result.Accepted, "of", result.Lines, "lines accepted")
	for _, rejection := range result.Rejected {
		fmt.Printf("line %d, %s of %s: %s\n", rejection.Line, rejection.Command, rejection.Interaction, rejection.Reason)
	}
	// Output:
	// 2 of 3 lines accepted
	// line 3, abandon of default/call-2: default/call-2: not found
}

func ExampleScan() {
	lines := strings.NewReader(`{"interaction":"ixn-1","command":"hold"}
{"command":"hold"}
`)
	err := feed.Scan(lines, "default", func(line feed.Line) error {
		fmt.Println(line.Number, line.Name, line.Command)
		return nil
	}, func(bad feed.BadLine) error {
		fmt.Println(bad.Number, bad.Reason)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// 1 default/ixn-1 hold
	// 2 interaction: missing: use a string that is not empty
}
