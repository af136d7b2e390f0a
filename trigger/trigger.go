package trigger

import (
	"fmt"
	"slices"

	"segue/expr"
	"segue/interaction"
)

// Spec is one configured trigger. An empty filter matches everything, and a filter with
// several values matches any of them. All filters must match.
type Spec struct {
	Moments           []string
	Call              string
	Segments          []string
	Legs              []string
	From, To          []string
	Channels          []string
	Queues            []string
	BusinessProcesses []string
	Dispositions      []string
	If                string
	DryRun            bool
}

// Set is a compiled list of triggers. It is immutable and safe for concurrent use.
type Set struct {
	specs    []Spec
	byMoment map[interaction.Moment][]*rule
}

// Specs returns the triggers that the set was compiled from, in their order.
func (s *Set) Specs() []Spec { return slices.Clone(s.specs) }

// Firing is one call that an event fires.
type Firing struct {
	Call string
	// DryRun renders and records the call, but sends nothing.
	DryRun bool
}

// rule is one compiled trigger.
type rule struct {
	index     int
	call      string
	segments  []stage
	legs      []interaction.Leg
	from, to  []stage
	channels  []interaction.Channel
	queues    []string
	processes []string
	codes     []string
	condition *expr.Program
	dryRun    bool
}

// Match returns the calls that an event fires, each once, in the order of the
// configuration. A trigger whose condition fails fires nothing; its error names the trigger
// and contains no data of the interaction.
func (s *Set) Match(view *interaction.View, ev *interaction.Event) ([]Firing, []error) {
	var firings []Firing
	var failed []error
	for _, r := range s.byMoment[ev.Moment] {
		at := slices.IndexFunc(firings, func(f Firing) bool { return f.Call == r.call })
		if at >= 0 && (r.dryRun || !firings[at].DryRun) || !r.passes(view, ev) {
			continue
		}
		if r.condition != nil {
			ok, err := r.condition.True(&expr.Scope{View: view, Event: ev})
			if err != nil {
				failed = append(failed, fmt.Errorf("triggers[%d].if: %s: %w", r.index, r.condition.Source(), err))
			}
			if !ok {
				continue
			}
		}
		if at >= 0 {
			firings[at].DryRun = false
			continue
		}
		firings = append(firings, Firing{Call: r.call, DryRun: r.dryRun})
	}
	return firings, failed
}

// passes applies the filters.
func (r *rule) passes(view *interaction.View, ev *interaction.Event) bool {
	facts := &view.Interaction
	queue := ev.Queue
	if queue == "" {
		queue = facts.Queue
	}
	switch {
	case !allows(r.channels, facts.Channel), !allows(r.queues, queue), !allows(r.processes, facts.BusinessProcess),
		!allows(r.legs, ev.Leg):
		return false
	case len(r.codes) > 0 && (view.Disposition == nil || !slices.Contains(r.codes, view.Disposition.Code)):
		return false
	case (ev.Moment == interaction.MomentFault || ev.Moment.IsForOperators()) && ev.Fields["call"] == r.call:
		return false // a call is not fired by its own failure
	}
	return onStage(r.segments, ev.Segment, ev.Leg) && onStage(r.from, ev.From, ev.Leg) && onStage(r.to, ev.To, ev.Leg)
}

func allows[T comparable](filter []T, v T) bool {
	return len(filter) == 0 || slices.Contains(filter, v)
}

func onStage(filter []stage, segment interaction.Segment, leg interaction.Leg) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(s stage) bool { return s.matches(segment, leg) })
}

// Fires returns the moments at which some trigger fires a call, in the order of the
// documentation.
func (s *Set) Fires(call string) []interaction.Moment {
	var when []interaction.Moment
	for _, w := range moments {
		if slices.ContainsFunc(s.byMoment[w], func(r *rule) bool { return r.call == call }) {
			when = append(when, w)
		}
	}
	return when
}

// DryRun reports whether every trigger that fires a call at a moment is a dry run.
func (s *Set) DryRun(call string, when interaction.Moment) bool {
	dry := false
	for _, r := range s.byMoment[when] {
		if r.call == call {
			if !r.dryRun {
				return false
			}
			dry = true
		}
	}
	return dry
}
