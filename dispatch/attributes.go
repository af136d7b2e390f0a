package dispatch

import "go.temporal.io/sdk/temporal"

// maxKeyword is how many characters a keyword holds on PostgreSQL and MySQL. Temporal
// retries the write of a longer one forever, and its workflow is never found.
const maxKeyword = 255

// Keyword is a value as its search attribute has it: its first 255 characters.
func Keyword(value string) string {
	if len(value) <= maxKeyword {
		return value
	}
	if runes := []rune(value); len(runes) > maxKeyword {
		return string(runes[:maxKeyword])
	}
	return value
}

// The search attributes, by which operators find interactions and lanes.
var (
	AttributeState         = temporal.NewSearchAttributeKeyKeyword("SegueState")
	AttributeChannel       = temporal.NewSearchAttributeKeyKeyword("SegueChannel")
	AttributeQueue         = temporal.NewSearchAttributeKeyKeyword("SegueQueue")
	AttributeAgent         = temporal.NewSearchAttributeKeyKeyword("SegueAgent")
	AttributeWorkbin       = temporal.NewSearchAttributeKeyKeyword("SegueWorkbin")
	AttributeOutcome       = temporal.NewSearchAttributeKeyKeyword("SegueOutcome")
	AttributeContactCenter = temporal.NewSearchAttributeKeyKeyword("SegueContactCenter")
	AttributeInteraction   = temporal.NewSearchAttributeKeyKeyword("SegueInteraction")
	AttributeCall          = temporal.NewSearchAttributeKeyKeyword("SegueCall")
	AttributeUndelivered   = temporal.NewSearchAttributeKeyInt64("SegueUndelivered")
	AttributeRejected      = temporal.NewSearchAttributeKeyInt64("SegueRejected")
	AttributeParked        = temporal.NewSearchAttributeKeyInt64("SegueParked")
)
