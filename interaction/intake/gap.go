package intake

import (
	"fmt"
	"strconv"
	"time"
)

// Gap is a range of source_sequence numbers that were given up, and when.
type Gap struct {
	From int64     `json:"from"`
	To   int64     `json:"to"`
	At   time.Time `json:"at"`
}

func (g Gap) String() string {
	if g.From == g.To {
		return strconv.FormatInt(g.From, 10)
	}
	return fmt.Sprintf("%d to %d", g.From, g.To)
}
