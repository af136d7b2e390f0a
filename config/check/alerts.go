package check

import (
	"maps"
	"slices"
	"strings"
	"time"

	"segue/config"
	"segue/contract"
	"segue/expr"
	"segue/interaction"
)

// sampleAlert is what an alert tells of.
var sampleAlert = contract.AlertFacts{
	Call: "crm", Since: sampleTime, FailingFor: 5 * time.Minute, Count: 1, Lanes: 12, Parked: 1,
	Failure: contract.Failure{Class: "http_5xx", Code: 503, Message: "HTTP 503 Service Unavailable",
		Delivery: "msg_sample", ContactCenter: "default", Interaction: "sample-1"},
}

// alerted are the fields that an alert's event has.
var alerted = slices.Concat([]string{"when", "at", "sequence", "reason"}, slices.Sorted(maps.Keys(sampleAlert.Fields())))

// sampleOfAlert makes up an alert: it belongs to no interaction.
func sampleOfAlert(when interaction.Moment) (*interaction.View, *interaction.Event) {
	return &interaction.View{}, &interaction.Event{Sequence: 1, Moment: when, At: sampleTime.Add(5 * time.Minute), Fields: sampleAlert.Fields()}
}

// lackingInAlert lists what is used although an alert has it not.
func lackingInAlert(uses []string) []string {
	var list []string
	for _, use := range uses {
		variable, name, _ := strings.Cut(use, ".")
		if variable == "delivery" || variable == "event" && slices.Contains(alerted, name) {
			continue
		}
		list = append(list, spelled(use))
	}
	return list
}

// checkAlerts warns of triggers for operators whose condition reads what an alert
// has not, and of those that nobody would hear.
func (r *Report) checkAlerts(s *config.Set) {
	for i, spec := range s.Triggers.Specs() {
		at := slices.IndexFunc(spec.Moments, func(when string) bool { return interaction.Moment(when).IsForOperators() })
		if at < 0 {
			continue
		}
		when := spec.Moments[at]
		if condition, err := expr.CompileCondition(spec.If); err == nil {
			if list := lackingInAlert(condition.Uses()); len(list) > 0 {
				r.warn("triggers[%d].if (call %s) at %s: no value then for %s", i, spec.Call, when, strings.Join(list, ", "))
			}
		}
		if !slices.ContainsFunc(s.Calls(), func(c *config.Call) bool { return c.Name != spec.Call && firesForInteractions(s, c.Name) }) {
			r.warn("triggers[%d] (call %s) can never fire at %s: an alert is not told by the call that it is about, and no other call is fired by interactions",
				i, spec.Call, when)
		}
	}
}

// firesForInteractions tells whether some interaction's moment fires the call.
func firesForInteractions(s *config.Set, call string) bool {
	return slices.ContainsFunc(s.Triggers.Fires(call), func(when interaction.Moment) bool { return !when.IsForOperators() })
}
