package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

func TestADeliveryIDDependsOnOwnerEventAndCall(t *testing.T) {
	owner := contract.Owner{ContactCenter: "cc", Interaction: "i", FirstRunID: "r"}
	seventh := &interaction.Event{Sequence: 7}
	id := contract.DeliveryID(owner, seventh, "crm")
	require.Equal(t, id, contract.DeliveryID(owner, &interaction.Event{Sequence: 7}, "crm"))
	require.NotContains(t, id, ".", "a webhook-id must not contain a dot")
	others := []string{
		contract.DeliveryID(owner, &interaction.Event{Sequence: 8}, "crm"), contract.DeliveryID(owner, seventh, "crm2"),
		contract.DeliveryID(owner, &interaction.Event{Sequence: 7, Cause: "e1#0"}, "crm"),
		contract.DeliveryID(contract.Owner{ContactCenter: "c", Interaction: "ci", FirstRunID: "r"}, seventh, "crm"),
		contract.DeliveryID(contract.Owner{ContactCenter: "cc", Interaction: "i", FirstRunID: "r2"}, seventh, "crm"),
	}
	require.NotContains(t, others, id)
	require.Equal(t, others[2], contract.DeliveryID(owner, &interaction.Event{Sequence: 9, Cause: "e1#0"}, "crm"),
		"an event with a cause has the same id at every sequence")
}

func TestALaneWorkflowsIDFitsTemporal(t *testing.T) {
	owner := contract.Owner{ContactCenter: "cc", Interaction: "i-1"}
	require.Equal(t, "delivery/cc/i-1/crm", contract.DeliveryWorkflowID(owner, "crm"))
	owner = contract.Owner{ContactCenter: strings.Repeat("c", 128), Interaction: strings.Repeat("i", 128)}
	long := contract.DeliveryWorkflowID(owner, "crm")
	require.Len(t, long, 255)
	require.Equal(t, "alert/segue/crm/pager", contract.DeliveryWorkflowID(contract.Owner{Receiver: "segue/crm"}, "pager"))
	require.Equal(t, "receiver/segue/crm", contract.ReceiverWorkflowID("segue", "crm"))
	require.Len(t, contract.ReceiverWorkflowID("segue", strings.Repeat("c", 300)), 255)
	require.NotEqual(t, long, contract.DeliveryWorkflowID(owner, "crm2"))
}

// The names are as long as interactions and configurations may have them.
func TestEveryIDOfTheLongestNamesFitsTemporal(t *testing.T) {
	call, taskQueue := strings.Repeat("k", 64), strings.Repeat("q", 64)
	owner := contract.Owner{ContactCenter: strings.Repeat("c", 128), Interaction: strings.Repeat("i", interaction.MaxIdentity-128)}
	alerts := contract.Owner{Receiver: contract.ReceiverName(taskQueue, call)}
	require.Len(t, contract.InteractionWorkflowID(owner.ContactCenter, owner.Interaction), 255)

	ids := map[string]bool{}
	for _, id := range []string{
		contract.InteractionWorkflowID(owner.ContactCenter, owner.Interaction), contract.ReceiverWorkflowID(taskQueue, call),
		contract.DeliveryWorkflowID(owner, call), contract.PartWorkflowID(owner, call, "msg_one"), contract.PartWorkflowID(owner, call, "msg_two"),
		contract.DeliveryWorkflowID(alerts, call), contract.PartWorkflowID(alerts, call, strings.Repeat("m", 64)),
	} {
		require.LessOrEqual(t, len(id), 255)
		ids[id] = true
	}
	require.Len(t, ids, 7)
	require.LessOrEqual(t, len(contract.Priority{}.ForContactCenter(owner.ContactCenter).FairnessKey), 64)
	receiver, ok := contract.AlertReceiver(contract.DeliveryWorkflowID(alerts, call))
	require.True(t, ok)
	require.Equal(t, alerts.Receiver, receiver, "the name in the id is complete")
}

func TestALaneOfAlertsIsRecognizedByItsID(t *testing.T) {
	receiver, ok := contract.AlertReceiver(contract.DeliveryWorkflowID(contract.Owner{Receiver: contract.ReceiverName("segue", "crm")}, "pager"))
	require.True(t, ok)
	require.Equal(t, "segue/crm", receiver)
	for _, contactCenter := range []string{"cc", "alert"} {
		receiver, ok = contract.AlertReceiver(contract.DeliveryWorkflowID(contract.Owner{ContactCenter: contactCenter, Interaction: "crm"}, "pager"))
		require.False(t, ok)
		require.Empty(t, receiver)
	}
}
