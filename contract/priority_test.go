package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
)

func TestPriorityOfAContactCenter(t *testing.T) {
	require.Equal(t, temporal.Priority{FairnessKey: "berlin"}, contract.Priority{}.ForContactCenter("berlin"))
	require.Equal(t, temporal.Priority{PriorityKey: 1, FairnessKey: "berlin", FairnessWeight: 2}, contract.Priority{Key: 1, Weight: 2}.ForContactCenter("berlin"))
	require.Len(t, contract.Priority{}.ForContactCenter(strings.Repeat("c", 128)).FairnessKey, 64)
}

func TestLowerIsTheNextLowerPriority(t *testing.T) {
	for key, lower := range map[int]int{0: 4, 1: 2, 3: 4, 4: 5, 5: 5} {
		require.Equal(t, contract.Priority{Key: lower, Weight: 2}, contract.Priority{Key: key, Weight: 2}.Lower())
	}
}
