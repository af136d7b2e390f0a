package workflows_test

import (
	"segue/workflows"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
)

func TestASummaryFitsEveryServer(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 300), strings.Repeat("<", 300), strings.Repeat("<", 119), strings.Repeat("😀", 300), strings.Repeat("\x01", 110)} {
		payload, err := converter.GetDefaultDataConverter().ToPayload(workflows.SummaryOf("wrap-up of %s", text))
		require.NoError(t, err)
		require.LessOrEqual(t, payload.Size(), 400)
		require.Greater(t, payload.Size(), 100)
	}
	require.Equal(t, "wrap-up of ann", workflows.SummaryOf("wrap-up of %s", "ann"))
}
