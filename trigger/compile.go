package trigger

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"segue/expr"
	"segue/interaction"
)

// Bounds of a configuration's triggers.
const (
	MaxTriggers = 1000
	MaxValues   = 200 // of one filter
)

// Problem is one mistake in a configured trigger.
type Problem struct {
	// Index is the position of the trigger in the list, from 0. Path is the place in the
	// trigger: "segments[1]".
	Index int
	Path  string
	Value string
	// What describes the mistake, and Remedy what to write instead.
	What, Remedy string
}

func (p *Problem) Error() string {
	s := fmt.Sprintf("triggers[%d].%s: %s", p.Index, p.Path, p.What)
	if p.Remedy != "" {
		s += "; " + p.Remedy
	}
	return s
}

// Compile checks triggers, given the names of all calls, and returns them compiled. The
// error joins a *Problem for each mistake.
func Compile(specs []Spec, calls []string) (*Set, error) {
	c := &compiler{calls: calls}
	if len(specs) > MaxTriggers {
		return nil, &Problem{Index: MaxTriggers, Path: "when", What: fmt.Sprintf("there are %d triggers, more than %d", len(specs), MaxTriggers),
			Remedy: "use lists in when, segments and channels"}
	}
	set := &Set{specs: specs, byMoment: map[interaction.Moment][]*rule{}}
	for i := range specs {
		c.index = i
		r, when := c.rule(&specs[i])
		for _, w := range when {
			set.byMoment[w] = append(set.byMoment[w], r)
		}
	}
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	return set, nil
}

// compiler collects the mistakes of all triggers.
type compiler struct {
	calls    []string
	index    int
	problems []error
}

func (c *compiler) add(path, value, what, remedy string) {
	c.problems = append(c.problems, &Problem{c.index, path, value, what, remedy})
}

func (c *compiler) rule(s *Spec) (*rule, []interaction.Moment) {
	r := &rule{index: c.index, call: s.Call, dryRun: s.DryRun,
		queues: s.Queues, processes: s.BusinessProcesses, codes: s.Dispositions}
	when := known(c, "when", s.Moments, moments, "a moment")
	slices.Sort(when)
	when = slices.Compact(when)
	switch {
	case len(s.Moments) == 0:
		c.add("when", "", "a trigger needs a moment", "write when: interaction_starts, or another moment")
	case s.Call == "":
		c.add("call", "", "a trigger needs a call", "write the name of a call")
	case !slices.Contains(c.calls, s.Call):
		c.add("call", s.Call, fmt.Sprintf("there is no call %q", s.Call), expr.Suggest(s.Call, c.calls))
	}
	r.legs = known(c, "legs", s.Legs, legs, "a leg")
	r.channels = known(c, "channels", s.Channels, interaction.Channels(), "a channel")
	r.segments = c.stages("segments", s.Segments)
	r.from = c.stages("from", s.From)
	r.to = c.stages("to", s.To)
	c.userNames("queues", s.Queues)
	c.userNames("business_processes", s.BusinessProcesses)
	c.userNames("dispositions", s.Dispositions)
	c.onlySegmentChange(s, when)
	c.onlyInteractions(s, when)
	if s.If != "" {
		condition, err := expr.CompileCondition(s.If)
		if err != nil {
			c.expression(s.If, err)
		}
		r.condition = condition
	}
	return r, when
}

// onlySegmentChange refuses filters on segments at moments that have none.
func (c *compiler) onlySegmentChange(s *Spec, when []interaction.Moment) {
	for _, f := range []struct {
		name   string
		values []string
	}{{"segments", s.Segments}, {"legs", s.Legs}, {"from", s.From}, {"to", s.To}} {
		if len(f.values) == 0 {
			continue
		}
		for _, w := range when {
			if w != interaction.MomentSegmentChange {
				c.add(f.name, "", fmt.Sprintf("only segment_change has segments and legs, and when has %s too", w),
					"write a separate trigger for segment_change")
				return
			}
		}
	}
}

// onlyInteractions refuses filters on what an alert does not have.
func (c *compiler) onlyInteractions(s *Spec, when []interaction.Moment) {
	i := slices.IndexFunc(when, interaction.Moment.IsForOperators)
	if i < 0 {
		return
	}
	for _, f := range []struct {
		name   string
		values []string
	}{{"channels", s.Channels}, {"queues", s.Queues}, {"business_processes", s.BusinessProcesses}, {"dispositions", s.Dispositions}} {
		if len(f.values) > 0 {
			c.add(f.name, "", fmt.Sprintf("%s is about a receiver, not an interaction, and has no %s", when[i], f.name),
				`remove it; if: 'event.call == "crm"' restricts the trigger to one call`)
		}
	}
}

// known reads a filter whose values are a closed list.
func known[T ~string](c *compiler, path string, values []string, valid []T, what string) []T {
	c.bound(path, values)
	var list []T
	for i, v := range values {
		if slices.Contains(valid, T(v)) {
			list = append(list, T(v))
			continue
		}
		c.add(fmt.Sprintf("%s[%d]", path, i), v, fmt.Sprintf("%q is not %s", v, what), expr.Suggest(v, texts(valid)))
	}
	return list
}

// stages reads a filter on segments.
func (c *compiler) stages(path string, values []string) []stage {
	c.bound(path, values)
	var list []stage
	for i, v := range values {
		s, ok := parseStage(v)
		if !ok {
			c.add(fmt.Sprintf("%s[%d]", path, i), v, fmt.Sprintf("%q is not a segment", v), segmentRemedy(v))
			continue
		}
		list = append(list, s)
	}
	return list
}

// segmentRemedy names the legs of a known segment, or the closest segment.
func segmentRemedy(v string) string {
	name, _, _ := strings.Cut(v, ".")
	for _, s := range segments {
		if string(s.name) == name {
			return "it exists on " + strings.Join(texts(s.legs), ", ")
		}
	}
	return expr.Suggest(v, Segments())
}

func (c *compiler) bound(path string, values []string) {
	if len(values) > MaxValues {
		c.add(path, "", fmt.Sprintf("has %d values, more than %d", len(values), MaxValues), "use an expression in if")
	}
}

// userNames checks a filter whose values are names that the user chose.
func (c *compiler) userNames(path string, values []string) {
	c.bound(path, values)
	for i, v := range values {
		if v == "" {
			c.add(fmt.Sprintf("%s[%d]", path, i), "", "the name is empty", "remove it")
		}
	}
}

func (c *compiler) expression(source string, err error) {
	var e *expr.Error
	if !errors.As(err, &e) {
		c.add("if", source, err.Error(), "")
		return
	}
	c.add("if", source, fmt.Sprintf("column %d: %s in %s", e.Column, e.Problem, source), e.Remedy)
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
