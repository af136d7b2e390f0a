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

// sampleAlert is the content of a sample alert.
var sampleAlert = contract.AlertFacts{
	Call: "crm", Since: sampleTime, FailingFor: 5 * time.Minute, Count: 1, Lanes: 12, Parked: 1,
	Failure: contract.Failure{Class: "http_5xx", Code: 503, Message: "HTTP 503 Service Unavailable",
		Delivery: "msg_sample", ContactCenter: "default", Interaction: "sample-1"},
}

// alertFields are the fields that the event of an alert has.
var alertFields = slices.Concat([]string{"when", "at", "sequence", "reason"}, slices.Sorted(maps.Keys(sampleAlert.Fields())))

// sampleOfAlert returns a sample alert: it belongs to no interaction.
func sampleOfAlert(moment interaction.Moment) (*interaction.View, *interaction.Event) {
	return &interaction.View{}, &interaction.Event{Sequence: 1, Moment: moment, At: sampleTime.Add(5 * time.Minute), Fields: sampleAlert.Fields()}
}

// lackingInAlert lists what is used although an alert does not have it.
func lackingInAlert(uses []string) []string {
	var list []string
	for _, use := range uses {
		variable, name, _ := strings.Cut(use, ".")
		if variable == "delivery" || variable == "event" && slices.Contains(alertFields, name) {
			continue
		}
		list = append(list, written(use))
	}
	return list
}

// checkAlerts warns of triggers for operators whose condition reads what an alert does
// not have, and of those that can never fire.
func (r *Report) checkAlerts(s *config.Set) {
	for i, spec := range s.Triggers.Specs() {
		at := slices.IndexFunc(spec.Moments, func(moment string) bool { return interaction.Moment(moment).IsForOperators() })
		if at < 0 {
			continue
		}
		moment := spec.Moments[at]
		if condition, err := expr.CompileCondition(spec.If); err == nil {
			if list := lackingInAlert(condition.Uses()); len(list) > 0 {
				r.warn("triggers[%d].if (call %s) at %s: no value at this moment for %s", i, spec.Call, moment, strings.Join(list, ", "))
			}
		}
		reports := func(c *config.Call) bool { return c.Name != spec.Call && firesForInteractions(s, c.Name) }
		if !slices.ContainsFunc(s.Calls(), reports) {
			r.warn("triggers[%d] (call %s) can never fire at %s: a call is not fired by its own alerts, and no other call is fired by interactions",
				i, spec.Call, moment)
		}
	}
}

// firesForInteractions reports whether some moment of an interaction fires the call.
func firesForInteractions(s *config.Set, call string) bool {
	return slices.ContainsFunc(s.Triggers.Fires(call), func(moment interaction.Moment) bool { return !moment.IsForOperators() })
}
