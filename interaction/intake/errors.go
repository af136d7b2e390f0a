package intake

import "fmt"

// OrderError says that a command's source_sequence refuses it, whatever the state
// of the interaction: nothing was applied.
type OrderError struct {
	Reason Reason
	// Number is the command's; Next is the one whose turn it is.
	Number, Next int64
}

// Reason is why a number refuses its command.
type Reason string

// The reasons. Late: the interaction has gone on without it. Repeated: a command
// with that number came before. Ahead: it is too far ahead to be waited for.
const (
	Late     Reason = "late"
	Repeated Reason = "repeated"
	Ahead    Reason = "ahead"
)

var remedies = map[Reason]string{
	Late:     "was waited for and given up; send it without source_sequence if it still counts",
	Repeated: "was used already; give each command a number of its own",
	Ahead:    fmt.Sprintf("is more than %d ahead; count from 1 for each interaction", maxAhead),
}

func (e *OrderError) Error() string {
	return fmt.Sprintf("%s: source_sequence %d (next is %d) %s", e.Reason, e.Number, e.Next, remedies[e.Reason])
}
