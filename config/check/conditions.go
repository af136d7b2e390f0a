package check

import (
	"slices"
	"strings"

	"segue/config"
	"segue/expr"
	"segue/interaction"
	"segue/spelling"
	"segue/trigger"
)

// sampleKinds are the kinds of value that open data may have, as a command gives them:
// every number of JSON is a double.
var sampleKinds = []any{"1", 1.0, true, []any{"1"}, map[string]any{"id": "1"}}

// maxCombinations bounds how often one condition is evaluated.
const maxCombinations = 625

// checkConditions warns of conditions that fail for any data: their trigger never fires,
// and only a worker's log would say why.
func (r *Report) checkConditions(s *config.Set) {
	for i, spec := range s.Triggers.Specs() {
		condition, err := expr.CompileCondition(spec.If)
		if err != nil {
			continue // none
		}
		if list := misspelled(condition.Uses()); len(list) > 0 {
			r.warn("triggers[%d].if (call %s): there may never be a value for %s", i, spec.Call, strings.Join(list, ", "))
		}
		if problem := failsAlways(condition, spec.Occasions()[0]); problem != "" {
			r.warn("triggers[%d].if (call %s) can never be true: %s fails: %s", i, spec.Call, spec.If, explained(problem))
		}
	}
}

// failsAlways returns the error of a condition that fails for every kind of data, and ""
// for one that may be true or false.
func failsAlways(condition *expr.Program, o trigger.Occasion) string {
	open := slices.DeleteFunc(slices.Clone(condition.Uses()), func(use string) bool {
		variable, name, _ := strings.Cut(use, ".")
		return name == "" || !slices.Contains([]string{"user_data", "survey", "event"}, variable) || slices.Contains(expr.Fields(variable), name)
	})
	combinations := 1
	for range open {
		combinations *= len(sampleKinds)
	}
	if combinations > maxCombinations {
		return ""
	}
	problem := ""
	for n := range combinations {
		view, event := sample(o, condition.Uses())
		for _, use := range open {
			setOpenData(view, event, use, sampleKinds[n%len(sampleKinds)])
			n /= len(sampleKinds)
		}
		if _, err := condition.True(&expr.Scope{View: view, Event: event}); err != nil {
			problem = err.Error()
			continue
		}
		return ""
	}
	return problem
}

func setOpenData(view *interaction.View, event *interaction.Event, use string, value any) {
	switch variable, name, _ := strings.Cut(use, "."); variable {
	case "user_data":
		view.UserData[name] = value
	case "survey":
		view.Survey[name] = value
	case "event":
		event.Fields[name] = value
	}
}

// misspelled lists fields of agents and events that are one slip away from a known
// field. Such data is open, so any other name may have a value.
func misspelled(uses []string) []string {
	var list []string
	for _, use := range uses {
		variable, name, _ := strings.Cut(use, ".")
		if !slices.Contains([]string{"agent", "previous_agent", "event"}, variable) || slices.Contains(expr.Fields(variable), name) {
			continue
		}
		for _, known := range expr.Fields(variable) {
			if spelling.Misspells(name, known) {
				list = append(list, use+" (did you mean "+variable+"."+known+"?)")
				break
			}
		}
	}
	return list
}

// explained rewrites the error of an evaluation and adds what most often fixes it.
func explained(problem string) string {
	if strings.Contains(problem, "no such overload") {
		return "an operator or a function does not accept these types; a number in user data, survey or event is never a whole number (int): write 1.0 instead of 1, or int(…) around the field"
	}
	return problem
}
