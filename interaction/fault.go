package interaction

import (
	"fmt"
	"time"
)

// Failure is what an interaction is told of a delivery that no attempt will help.
type Failure struct {
	// Call is the configured call, Class and Code what its last attempt came to;
	// Code is the HTTP status, 0 when there was no response.
	Call  string
	Class string
	Code  int
	// Delivery is the delivery's id, and Of the moment that fired it.
	Delivery string
	Of       Moment
}

// Fault fires the moment "fault". It changes nothing else, and may come in any
// state, also after the end: what fires at the end may fail, too. A call that was
// itself told of a fault fires none, or two that fail would tell each other for ever.
func (i *Interaction) Fault(f Failure, now time.Time) Effect {
	if f.Of == MomentFault {
		return Effect{}
	}
	s := &step{record: i.r.draft(), now: now.UTC(), cmd: Command{Name: string(MomentFault), Fields: map[string]any{
		"call": f.Call, "class": f.Class, "code": float64(f.Code), "delivery": f.Delivery, "of": string(f.Of),
	}}}
	s.Faults++ // a delivery that is sent again may fail again
	s.cause = fmt.Sprintf("\nfault %s %d", f.Delivery, s.Faults)
	s.at = s.within() // the timeline's own clock stands still: nothing of it has happened
	s.fire(MomentFault)
	i.r = s.record
	return s.effect()
}
