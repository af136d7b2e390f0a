package contract_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"segue/connect"
	"segue/contract"
)

// TestEverySearchAttributeIsPrepared holds what workflows write against what a
// namespace is prepared with: a name that is missing there fails every task.
func TestEverySearchAttributeIsPrepared(t *testing.T) {
	prepared := map[string]enumspb.IndexedValueType{}
	for _, attribute := range connect.SearchAttributes {
		prepared[attribute.Name] = attribute.Type
	}
	written := []temporal.SearchAttributeKey{
		contract.AttributeState, contract.AttributeChannel, contract.AttributeQueue, contract.AttributeAgent, contract.AttributeAgents, contract.AttributeWorkbin,
		contract.AttributeOutcome, contract.AttributeContactCenter, contract.AttributeInteraction, contract.AttributeCall,
		contract.AttributeUndelivered, contract.AttributeParked,
	}
	require.Len(t, prepared, len(written))
	for _, key := range written {
		require.Equal(t, key.GetValueType(), prepared[key.GetName()], key.GetName())
	}
}
