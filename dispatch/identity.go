package dispatch

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
)

// DeliveryID is the identity of one event × one call: the same over retries,
// replay, continue-as-new and redelivery. Receivers see it as webhook-id, which
// by the Standard Webhooks specification must not contain a dot.
func DeliveryID(owner Owner, sequence int64, call string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		owner.ContactCenter, owner.Interaction, owner.FirstRunID, strconv.FormatInt(sequence, 10), call,
	}, "\x00")))
	return "msg_" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// InteractionWorkflowID is the id of an interaction's workflow.
func InteractionWorkflowID(contactCenter, id string) string {
	return "interaction/" + contactCenter + "/" + id
}

// maxWorkflowID is what Temporal takes on a SQL store, in bytes.
const maxWorkflowID = 255

// DeliveryWorkflowID is the id of the workflow that owns a failing lane. One that
// would be too long for Temporal ends in a digest of the whole.
func DeliveryWorkflowID(owner Owner, call string) string {
	id := "delivery/" + owner.ContactCenter + "/" + owner.Interaction + "/" + call
	if len(id) <= maxWorkflowID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	digest := "~" + base64.RawURLEncoding.EncodeToString(sum[:18])
	return id[:maxWorkflowID-len(digest)] + digest
}
