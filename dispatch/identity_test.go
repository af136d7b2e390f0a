package dispatch_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/dispatch"
	"segue/interaction"
)

func TestADeliveryHasOneIdentity(t *testing.T) {
	owner := dispatch.Owner{ContactCenter: "cc", Interaction: "i", FirstRunID: "r"}
	seventh := &interaction.Event{Sequence: 7}
	id := dispatch.DeliveryID(owner, seventh, "crm")
	require.Equal(t, id, dispatch.DeliveryID(owner, &interaction.Event{Sequence: 7}, "crm"))
	require.NotContains(t, id, ".", "a webhook-id must hold no dot")
	others := []string{
		dispatch.DeliveryID(owner, &interaction.Event{Sequence: 8}, "crm"), dispatch.DeliveryID(owner, seventh, "crm2"),
		dispatch.DeliveryID(owner, &interaction.Event{Sequence: 7, Cause: "e1#0"}, "crm"),
		dispatch.DeliveryID(dispatch.Owner{ContactCenter: "c", Interaction: "ci", FirstRunID: "r"}, seventh, "crm"),
		dispatch.DeliveryID(dispatch.Owner{ContactCenter: "cc", Interaction: "i", FirstRunID: "r2"}, seventh, "crm"),
	}
	require.NotContains(t, others, id)
	require.Equal(t, others[2], dispatch.DeliveryID(owner, &interaction.Event{Sequence: 9, Cause: "e1#0"}, "crm"),
		"what has a cause is the same at whatever place")
}

func TestALaneWorkflowsIDFitsTemporal(t *testing.T) {
	owner := dispatch.Owner{ContactCenter: "cc", Interaction: "i-1"}
	require.Equal(t, "delivery/cc/i-1/crm", dispatch.DeliveryWorkflowID(owner, "crm"))
	owner = dispatch.Owner{ContactCenter: strings.Repeat("c", 128), Interaction: strings.Repeat("i", 128)}
	long := dispatch.DeliveryWorkflowID(owner, "crm")
	require.Len(t, long, 255)
	require.Equal(t, "alert/segue/crm/pager", dispatch.DeliveryWorkflowID(dispatch.Owner{Receiver: "segue/crm"}, "pager"))
	require.Equal(t, "receiver/segue/crm", dispatch.ReceiverWorkflowID("segue", "crm"))
	require.Len(t, dispatch.ReceiverWorkflowID("segue", strings.Repeat("c", 300)), 255)
	require.NotEqual(t, long, dispatch.DeliveryWorkflowID(owner, "crm2"))
}

// TestEveryIDOfTheLongestNamesFitsTemporal takes names as long as interactions and configurations may have them.
func TestEveryIDOfTheLongestNamesFitsTemporal(t *testing.T) {
	call, taskQueue := strings.Repeat("k", 64), strings.Repeat("q", 64)
	owner := dispatch.Owner{ContactCenter: strings.Repeat("c", 128), Interaction: strings.Repeat("i", interaction.MaxIdentity-128)}
	alerts := dispatch.Owner{Receiver: dispatch.ReceiverName(taskQueue, call)}
	require.Len(t, dispatch.InteractionWorkflowID(owner.ContactCenter, owner.Interaction), 255)

	ids := map[string]bool{}
	for _, id := range []string{
		dispatch.InteractionWorkflowID(owner.ContactCenter, owner.Interaction), dispatch.ReceiverWorkflowID(taskQueue, call),
		dispatch.DeliveryWorkflowID(owner, call), dispatch.PartWorkflowID(owner, call, "msg_one"), dispatch.PartWorkflowID(owner, call, "msg_two"),
		dispatch.DeliveryWorkflowID(alerts, call), dispatch.PartWorkflowID(alerts, call, strings.Repeat("m", 64)),
	} {
		require.LessOrEqual(t, len(id), 255)
		ids[id] = true
	}
	require.Len(t, ids, 7)
	require.LessOrEqual(t, len(dispatch.Priority{}.Of(owner.ContactCenter).FairnessKey), 64)
	receiver, ok := dispatch.AlertsOf(dispatch.DeliveryWorkflowID(alerts, call))
	require.True(t, ok)
	require.Equal(t, alerts.Receiver, receiver, "what is read from an id is whole")
}

func TestALaneSaysWhetherItIsOfAlerts(t *testing.T) {
	receiver, ok := dispatch.AlertsOf(dispatch.DeliveryWorkflowID(dispatch.Owner{Receiver: dispatch.ReceiverName("segue", "crm")}, "pager"))
	require.True(t, ok)
	require.Equal(t, "segue/crm", receiver)
	for _, contactCenter := range []string{"cc", "alert"} {
		_, ok = dispatch.AlertsOf(dispatch.DeliveryWorkflowID(dispatch.Owner{ContactCenter: contactCenter, Interaction: "crm"}, "pager"))
		require.False(t, ok)
	}
}
