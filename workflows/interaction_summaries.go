package workflows

import (
	"fmt"
	"slices"
	"strings"

	"segue/contract"
)

// summaryCommands is how many commands the summary of one Dispatch names.
const summaryCommands = 3

// dispatchSummary names the commands whose events a Dispatch takes, and the events: "accept: 4 events, 11 to 14".
func dispatchSummary(in *contract.DispatchInput) string {
	var commands []string
	count, first, last := 0, int64(0), int64(0)
	for _, turn := range in.Turns {
		for i := range turn.Events {
			event := &turn.Events[i]
			if event.Sequence <= in.After {
				continue
			}
			if first == 0 {
				first = event.Sequence
			}
			count++
			last = event.Sequence
			if !slices.Contains(commands, event.Command) {
				commands = append(commands, event.Command)
			}
		}
	}
	if more := len(commands) - summaryCommands; more > 0 {
		commands = append(commands[:summaryCommands], fmt.Sprintf("%d more", more))
	}
	return summaryOf("%s: %s", strings.Join(commands, ", "), eventsInWords(count, first, last))
}

func attemptSummary(call string, batch []contract.Request) string {
	if len(batch) == 1 {
		return summaryOf("%s: %s, event %d", call, batch[0].Moment, batch[0].Sequence)
	}
	return summaryOf("%s: %s", call, requestsInWords(batch))
}

// handOverSummary names the events of a hand-over, and the failed attempt that is the reason, if there is one.
func handOverSummary(in contract.HandOver) string {
	why := ""
	switch failed := in.Failed; {
	case failed == nil:
	case failed.Code > 0:
		why = fmt.Sprintf(" after HTTP %d", failed.Code)
	default:
		why = " after " + failed.Class
	}
	return summaryOf("%s: %s to the lane workflow%s", in.Call, requestsInWords(in.Requests), why)
}

func requestsInWords(requests []contract.Request) string {
	return eventsInWords(len(requests), requests[0].Sequence, requests[len(requests)-1].Sequence)
}

func eventsInWords(count int, first, last int64) string {
	if count == 1 {
		return fmt.Sprintf("event %d", first)
	}
	return fmt.Sprintf("%d events, %d to %d", count, first, last)
}
