package interaction

import (
	"fmt"
	"time"
)

// Failure describes a delivery that failed permanently.
type Failure struct {
	// Call is the configured call; Class and Code are the outcome of its last attempt.
	// Code is the HTTP status, 0 if there was no response.
	Call  string
	Class string
	Code  int
	// Delivery is the delivery's id, and Of the moment that fired the call.
	Delivery string
	Of       Moment
}

// Fault fires the moment "fault" and changes nothing else. It is allowed in any state, also
// after the end, because calls that fire at the end may fail, too. The failure of a call
// that a fault fired does not fire another one: two failing calls would fire each other
// forever.
func (i *Interaction) Fault(f Failure, now time.Time) Effect {
	if f.Of == MomentFault {
		return Effect{}
	}
	s := &step{record: i.r.draft(), now: now.UTC(), cmd: Command{Name: string(MomentFault), Fields: map[string]any{
		"call": f.Call, "class": f.Class, "code": float64(f.Code), "delivery": f.Delivery, "of": string(f.Of),
	}}}
	s.Faults++ // a delivery that is sent again may fail again
	s.cause = fmt.Sprintf("\nfault %s %d", f.Delivery, s.Faults)
	s.at = s.within() // the clock of the timeline stays: nothing has happened to the interaction
	s.fire(MomentFault)
	i.r = s.record
	return s.effect()
}
