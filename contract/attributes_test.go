package contract_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"segue/connect"
	"segue/contract"
)

// A search attribute that is written and not registered fails every task of its workflow.
func TestEverySearchAttributeIsRegistered(t *testing.T) {
	registered := map[string]enumspb.IndexedValueType{}
	for _, attribute := range connect.SearchAttributes {
		registered[attribute.Name] = attribute.Type
	}
	written := []temporal.SearchAttributeKey{
		contract.AttributeState, contract.AttributeChannel, contract.AttributeQueue, contract.AttributeAgent, contract.AttributeAgents, contract.AttributeWorkbin,
		contract.AttributeOutcome, contract.AttributeContactCenter, contract.AttributeInteraction, contract.AttributeCall,
		contract.AttributeUndelivered, contract.AttributeParked,
	}
	require.Len(t, registered, len(written))
	for _, key := range written {
		require.Equal(t, key.GetValueType(), registered[key.GetName()], key.GetName())
	}
}
