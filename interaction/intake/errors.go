package intake

import "fmt"

// OrderError refuses a command because of its source_sequence, whatever the state of the
// interaction. Nothing was applied.
type OrderError struct {
	Reason Reason
	// Number is the command's; Next is the number that is in order.
	Number, Next int64
}

// Reason is why a number refuses its command.
type Reason string

// The reasons. Late: the interaction has continued without the number. Repeated: another
// command had the number. Ahead: the number is too far ahead to be waited for.
const (
	Late     Reason = "late"
	Repeated Reason = "repeated"
	Ahead    Reason = "ahead"
)

var remedies = map[Reason]string{
	Late:     "arrived after Segue had stopped waiting for it; send the command without source_sequence if it still counts",
	Repeated: "was used already; give each command a number of its own",
	Ahead:    fmt.Sprintf("is more than %d ahead; count from 1 for each interaction", maxAhead),
}

func (e *OrderError) Error() string {
	return fmt.Sprintf("%s: source_sequence %d (next is %d) %s", e.Reason, e.Number, e.Next, remedies[e.Reason])
}
