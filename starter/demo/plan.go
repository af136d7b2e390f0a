package demo

import (
	"bytes"
	"fmt"
	"time"

	"segue/client"
	"segue/client/feed"
	"segue/interaction"
)

// Plan is what a feed must come to, worked out by the pure state machine.
type Plan struct {
	Lines      int
	Accepted   int
	Duplicates int
	// Rejected has the reason by line number.
	Rejected map[int]string
	// Courses are the interactions in the order of their start.
	Courses []*Course
}

// Course is one interaction as it must go.
type Course struct {
	Name  client.Name
	Turns []interaction.Turn

	machine *interaction.Interaction
	applied map[string]bool
}

// Status is how the interaction must stand in the end.
func (c *Course) Status() interaction.Status { return c.machine.Status() }

// Timeline is what the interaction's legs must have gone through.
func (c *Course) Timeline() []interaction.Span { return c.machine.Timeline() }

// PlanOf works out what a feed must come to in a contact center, when every line
// has its time in the past.
func PlanOf(content []byte, contactCenter string) (*Plan, error) {
	p := &planner{
		plan:   &Plan{Rejected: map[int]string{}},
		byName: map[client.Name]*Course{},
		now:    time.Now(),
	}
	err := feed.Scan(bytes.NewReader(content), contactCenter, p.line, func(bad feed.BadLine) error {
		p.plan.Lines++
		p.plan.Rejected[bad.Number] = bad.Reason
		return nil
	})
	return p.plan, err
}

type planner struct {
	plan   *Plan
	byName map[client.Name]*Course
	now    time.Time
}

func (p *planner) line(l feed.Line) error {
	p.plan.Lines++
	course := p.byName[l.Name]
	var err error
	switch {
	case l.Command == feed.CommandStart && course != nil:
		err = fmt.Errorf("started twice in this feed")
	case l.Command == feed.CommandStart:
		err = p.start(l)
	case course == nil:
		err = fmt.Errorf("interaction %s was not started", l.Name)
	case l.EventID != "" && course.applied[l.EventID]:
		p.plan.Duplicates++
		return nil
	default:
		err = course.apply(l, p.now)
	}
	if err != nil {
		p.plan.Rejected[l.Number] = err.Error()
		return nil
	}
	p.plan.Accepted++
	return nil
}

func (p *planner) start(l feed.Line) error {
	start, err := interaction.DecodeStart(l.Payload)
	if err != nil {
		return err
	}
	machine, effect, err := interaction.Open(start, p.now)
	if err != nil {
		return err
	}
	course := &Course{Name: l.Name, machine: machine, applied: map[string]bool{}, Turns: []interaction.Turn{effect.Turn}}
	p.byName[l.Name] = course
	p.plan.Courses = append(p.plan.Courses, course)
	return nil
}

func (c *Course) apply(l feed.Line, now time.Time) error {
	command, err := interaction.Decode(l.Command, l.Payload)
	if err != nil {
		return err
	}
	effect, err := c.machine.Apply(command, now)
	if err != nil {
		return err
	}
	if command.EventID != "" {
		c.applied[command.EventID] = true
	}
	c.Turns = append(c.Turns, effect.Turn)
	return nil
}

// Outcomes counts the interactions by how they end; one that does not is "open".
func (p *Plan) Outcomes() map[string]int {
	counts := map[string]int{}
	for _, course := range p.Courses {
		outcome := string(course.Status().Outcome)
		if outcome == "" {
			outcome = "open"
		}
		counts[outcome]++
	}
	return counts
}

// Segments counts the segments that legs enter.
func (p *Plan) Segments() map[string]int {
	counts := map[string]int{}
	for _, course := range p.Courses {
		for _, turn := range course.Turns {
			for _, event := range turn.Events {
				if event.Moment == interaction.MomentSegmentChange {
					counts[string(event.Segment)]++
				}
			}
		}
	}
	return counts
}

// Moments counts the events by what they are.
func (p *Plan) Moments() map[string]int {
	counts := map[string]int{}
	for _, course := range p.Courses {
		for _, turn := range course.Turns {
			for _, event := range turn.Events {
				counts[string(event.Moment)]++
			}
		}
	}
	return counts
}
