package demo

import (
	"bytes"
	"fmt"
	"time"

	"segue/client"
	"segue/client/feed"
	"segue/interaction"
)

// Plan is the expected result of a feed, computed with the pure state machine.
type Plan struct {
	Lines      int
	Accepted   int
	Duplicates int
	// Rejected are the reasons of rejected lines, by line number.
	Rejected map[int]string
	// Interactions are in the order of their start.
	Interactions []*PlannedInteraction
}

// PlannedInteraction is the expected result of one interaction.
type PlannedInteraction struct {
	Name  client.Name
	Turns []interaction.Turn

	machine *interaction.Interaction
	applied map[string]bool
}

// Status returns the expected final status.
func (i *PlannedInteraction) Status() interaction.Status { return i.machine.Status() }

// Timeline returns the expected timeline.
func (i *PlannedInteraction) Timeline() []interaction.Span { return i.machine.Timeline() }

// NewPlan computes the expected result of a feed into a contact center. Every line must have a time in the past.
func NewPlan(content []byte, contactCenter string) (*Plan, error) {
	p := &planner{
		plan:   &Plan{Rejected: map[int]string{}},
		byName: map[client.Name]*PlannedInteraction{},
		now:    time.Now(),
	}
	err := feed.Scan(bytes.NewReader(content), contactCenter, p.addLine, func(bad feed.BadLine) error {
		p.plan.Lines++
		p.plan.Rejected[bad.Number] = bad.Reason
		return nil
	})
	return p.plan, err
}

type planner struct {
	plan   *Plan
	byName map[client.Name]*PlannedInteraction
	now    time.Time
}

func (p *planner) addLine(l feed.Line) error {
	p.plan.Lines++
	planned := p.byName[l.Name]
	var err error
	switch {
	case l.Command == feed.CommandStart && planned != nil:
		err = fmt.Errorf("interaction %s was started before in this feed", l.Name)
	case l.Command == feed.CommandStart:
		err = p.start(l)
	case planned == nil:
		err = fmt.Errorf("interaction %s was not started", l.Name)
	case l.EventID != "" && planned.applied[l.EventID]:
		p.plan.Duplicates++
		return nil
	default:
		err = planned.apply(l, p.now)
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
	planned := &PlannedInteraction{Name: l.Name, machine: machine, applied: map[string]bool{}, Turns: []interaction.Turn{effect.Turn}}
	p.byName[l.Name] = planned
	p.plan.Interactions = append(p.plan.Interactions, planned)
	return nil
}

func (i *PlannedInteraction) apply(l feed.Line, now time.Time) error {
	command, err := interaction.Decode(l.Command, l.Payload)
	if err != nil {
		return err
	}
	effect, err := i.machine.Apply(command, now)
	if err != nil {
		return err
	}
	if command.EventID != "" {
		i.applied[command.EventID] = true
	}
	i.Turns = append(i.Turns, effect.Turn)
	return nil
}

// Outcomes counts the interactions by outcome; those that do not complete are "open".
func (p *Plan) Outcomes() map[string]int {
	counts := map[string]int{}
	for _, course := range p.Interactions {
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
	for _, course := range p.Interactions {
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
