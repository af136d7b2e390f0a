package activities

import (
	"segue/contract"
	"segue/interaction"
)

// addEngagement adds to a callback of the engagement backend which attempt it is about. The callbacks engage and noengage
// have lanes of their own, so one that is retried may arrive after the other one: the backend can tell.
func addEngagement(r *contract.Request, owner contract.Owner, event *interaction.Event) {
	if owner.Interaction == "" || !contract.IsEngagementCallback(r.Call, event.Moment) {
		return
	}
	number, _ := event.Fields["attempt"].(float64)
	r.Engagement = &contract.EngagementAttempt{
		ContactCenter: owner.ContactCenter, Interaction: owner.Interaction, FirstRunID: owner.FirstRunID, Number: int(number),
	}
	if r.Fault == "" {
		r.Headers = append(r.Headers, contract.Header{Name: contract.HeaderEngagement, Value: r.Engagement.Header()})
	}
}
