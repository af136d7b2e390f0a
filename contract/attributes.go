package contract

import (
	"go.temporal.io/sdk/temporal"

	"segue/interaction"
)

// The search attributes by which operators find interactions and lanes.
var (
	AttributeState         = temporal.NewSearchAttributeKeyKeyword("SegueState")
	AttributeChannel       = temporal.NewSearchAttributeKeyKeyword("SegueChannel")
	AttributeQueue         = temporal.NewSearchAttributeKeyKeyword("SegueQueue")
	AttributeAgent         = temporal.NewSearchAttributeKeyKeyword("SegueAgent")
	AttributeAgents        = temporal.NewSearchAttributeKeyKeywordList("SegueAgents")
	AttributeWorkbin       = temporal.NewSearchAttributeKeyKeyword("SegueWorkbin")
	AttributeOutcome       = temporal.NewSearchAttributeKeyKeyword("SegueOutcome")
	AttributeContactCenter = temporal.NewSearchAttributeKeyKeyword("SegueContactCenter")
	AttributeInteraction   = temporal.NewSearchAttributeKeyKeyword("SegueInteraction")
	AttributeCall          = temporal.NewSearchAttributeKeyKeyword("SegueCall")
	AttributeUndelivered   = temporal.NewSearchAttributeKeyInt64("SegueUndelivered")
	AttributeParked        = temporal.NewSearchAttributeKeyInt64("SegueParked")
)

// StartAttributes returns the search attributes of an interaction as it starts. A client that
// gives them with the start saves the workflow from writing them.
func StartAttributes(start interaction.Start) temporal.SearchAttributes {
	updates := []temporal.SearchAttributeUpdate{
		AttributeContactCenter.ValueSet(Keyword(start.ContactCenter)),
		AttributeInteraction.ValueSet(Keyword(start.ID)),
		AttributeChannel.ValueSet(Keyword(string(start.Channel))),
		AttributeState.ValueSet(string(start.FirstState())),
	}
	if start.Queue != "" {
		updates = append(updates, AttributeQueue.ValueSet(Keyword(start.Queue)))
	}
	if start.Agent != nil {
		agent := Keyword(start.Agent.ID)
		updates = append(updates, AttributeAgent.ValueSet(agent), AttributeAgents.ValueSet([]string{agent}))
	}
	return temporal.NewSearchAttributes(updates...)
}
