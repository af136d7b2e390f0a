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

// DeliveryID is the identity of one event × one call: the same over retries,
// replay, continue-as-new and redelivery, and when Temporal has a workflow task done
// again in which the event gets another place. Receivers see it as webhook-id, which
// by the Standard Webhooks specification must not contain a dot.
func DeliveryID(owner Owner, event *interaction.Event, call string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		owner.ContactCenter, owner.Interaction, owner.FirstRunID, cmp.Or(event.Cause, strconv.FormatInt(event.Sequence, 10)), call,
	}, "\x00")))
	return "msg_" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// InteractionWorkflowID is the id of an interaction's workflow.
func InteractionWorkflowID(contactCenter, id string) string {
	return "interaction/" + contactCenter + "/" + id
}

// ReceiverName names the receiver of a call, for all workers of one task queue: what
// another queue's configuration calls the same is another one.
func ReceiverName(taskQueue, call string) string { return taskQueue + "/" + call }

// ReceiverWorkflowID is the id of the workflow that watches over a receiver.
func ReceiverWorkflowID(taskQueue, call string) string {
	return boundedID("receiver/" + ReceiverName(taskQueue, call))
}

// DeliveryWorkflowID is the id of the workflow that owns a failing lane. That of
// alerts begins in another way, so that no contact center's can be like it.
func DeliveryWorkflowID(owner Owner, call string) string {
	if owner.Receiver != "" {
		return boundedID(alertLanePrefix + owner.Receiver + "/" + call)
	}
	return boundedID(InteractionLanePrefix + owner.ContactCenter + "/" + owner.Interaction + "/" + call)
}

// PartWorkflowID is the id of a part of a lane; without a name, of the lane.
func PartWorkflowID(owner Owner, call, part string) string {
	if part == "" {
		return DeliveryWorkflowID(owner, call)
	}
	return boundedID(DeliveryWorkflowID(owner, call) + "~" + part)
}

// AlertReceiver tells of which receiver, by its name, the alerts of a lane workflow tell;
// false for an interaction's.
func AlertReceiver(laneID string) (receiver string, ok bool) {
	rest, ok := strings.CutPrefix(laneID, alertLanePrefix)
	return rest[:max(0, strings.LastIndexByte(rest, '/'))], ok
}

const alertLanePrefix = "alert/"

// InteractionLanePrefix is how the ids of all lane workflows of interactions begin; those
// of alerts do not.
const InteractionLanePrefix = "delivery/"

// maxWorkflowID is what Temporal takes on a SQL store, in bytes.
const maxWorkflowID = 255

// boundedID lets an id that would be too long for Temporal end in a digest of the whole.
func boundedID(id string) string {
	if len(id) <= maxWorkflowID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	digest := "~" + base64.RawURLEncoding.EncodeToString(sum[:18])
	return excerpt.Cut(id, maxWorkflowID-len(digest)) + digest
}
