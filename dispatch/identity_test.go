package dispatch_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/dispatch"
)

func TestADeliveryHasOneIdentity(t *testing.T) {
	owner := dispatch.Owner{ContactCenter: "cc", Interaction: "i", FirstRunID: "r"}
	id := dispatch.DeliveryID(owner, 7, "crm")
	require.Equal(t, id, dispatch.DeliveryID(owner, 7, "crm"))
	require.NotContains(t, id, ".", "a webhook-id must hold no dot")
	others := []string{
		dispatch.DeliveryID(owner, 8, "crm"), dispatch.DeliveryID(owner, 7, "crm2"),
		dispatch.DeliveryID(dispatch.Owner{ContactCenter: "c", Interaction: "ci", FirstRunID: "r"}, 7, "crm"),
		dispatch.DeliveryID(dispatch.Owner{ContactCenter: "cc", Interaction: "i", FirstRunID: "r2"}, 7, "crm"),
	}
	require.NotContains(t, others, id)
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
