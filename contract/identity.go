package contract

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"segue/excerpt"
	"segue/interaction"
)

// DeliveryID returns the identity of one event's delivery to one call. It is the same over
// retries, replay, continue-as-new and redelivery, and also when Temporal has a workflow task
// done again and the event gets another sequence. Receivers see it as webhook-id, which must
// not contain a dot by the Standard Webhooks specification.
func DeliveryID(owner Owner, event *interaction.Event, call string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		owner.ContactCenter, owner.Interaction, owner.FirstRunID, cmp.Or(event.Cause, strconv.FormatInt(event.Sequence, 10)), call,
	}, "\x00")))
	return "msg_" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// InteractionWorkflowID returns the id of an interaction's workflow.
func InteractionWorkflowID(contactCenter, id string) string {
	return "interaction/" + contactCenter + "/" + id
}

// ReceiverName returns the name of a call's receiver. It is unique to one task queue: the same
// call name in another task queue's configuration means another receiver.
func ReceiverName(taskQueue, call string) string { return taskQueue + "/" + call }

// ReceiverWorkflowID returns the id of the Receiver workflow that tracks the health of a
// call's receiver.
func ReceiverWorkflowID(taskQueue, call string) string {
	return boundedID("receiver/" + ReceiverName(taskQueue, call))
}

// DeliveryWorkflowID returns the id of the Delivery workflow of a lane. Lanes of alerts have
// another prefix, so that their ids differ from those of every contact center.
func DeliveryWorkflowID(owner Owner, call string) string {
	if owner.Receiver != "" {
		return boundedID(alertLanePrefix + owner.Receiver + "/" + call)
	}
	return boundedID(InteractionLanePrefix + owner.ContactCenter + "/" + owner.Interaction + "/" + call)
}

// PartWorkflowID returns the id of a part of a lane, or that of the lane if part is empty.
func PartWorkflowID(owner Owner, call, part string) string {
	if part == "" {
		return DeliveryWorkflowID(owner, call)
	}
	return boundedID(DeliveryWorkflowID(owner, call) + "~" + part)
}

// AlertReceiver returns the name of the receiver that the alerts of a lane are about. It
// reports false for a lane of an interaction.
func AlertReceiver(laneID string) (receiver string, ok bool) {
	rest, ok := strings.CutPrefix(laneID, alertLanePrefix)
	return rest[:max(0, strings.LastIndexByte(rest, '/'))], ok
}

const alertLanePrefix = "alert/"

// InteractionLanePrefix is the prefix of the workflow ids of all interactions' lanes, and of
// no lane of alerts.
const InteractionLanePrefix = "delivery/"

// maxWorkflowID is the longest workflow id on a SQL store, in bytes.
const maxWorkflowID = 255

// boundedID replaces the end of an id that is too long for Temporal by a digest of the whole.
func boundedID(id string) string {
	if len(id) <= maxWorkflowID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	digest := "~" + base64.RawURLEncoding.EncodeToString(sum[:18])
	return excerpt.Cut(id, maxWorkflowID-len(digest)) + digest
}
