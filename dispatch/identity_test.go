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

func TestALaneSaysWhetherItIsOfAlerts(t *testing.T) {
	receiver, ok := dispatch.AlertsOf(dispatch.DeliveryWorkflowID(dispatch.Owner{Receiver: dispatch.ReceiverName("segue", "crm")}, "pager"))
	require.True(t, ok)
	require.Equal(t, "segue/crm", receiver)
	for _, contactCenter := range []string{"cc", "alert"} {
		_, ok = dispatch.AlertsOf(dispatch.DeliveryWorkflowID(dispatch.Owner{ContactCenter: contactCenter, Interaction: "crm"}, "pager"))
		require.False(t, ok)
	}
}
