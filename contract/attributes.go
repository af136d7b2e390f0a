package contract

import "go.temporal.io/sdk/temporal"

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
