package contract_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
	"segue/interaction/intake"
)

func TestARefusalIsReadFromTheError(t *testing.T) {
	legal := []string{"accept"}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"illegal":        {&interaction.IllegalError{Command: "hold", State: "started", Why: interaction.WhyState, Legal: legal}, `{"why":"state","state":"started","legal":["accept"]}`},
		"nothing legal":  {&interaction.IllegalError{Command: "hold", State: "completed", Why: interaction.WhyState}, `{"why":"state","state":"completed"}`},
		"missing":        {&interaction.InvalidError{Field: "to.agent", Why: interaction.WhyMissing}, `{"why":"missing","field":"to.agent"}`},
		"without reason": {&interaction.InvalidError{Field: "x"}, `{"why":"invalid","field":"x"}`},
		"unknown":        {fmt.Errorf("reading: %w", &interaction.InvalidError{Why: interaction.WhyUnknown}), `{"why":"unknown"}`},
		"order":          {&intake.OrderError{Reason: intake.Late, Number: 1, Next: 4}, `{"why":"order","field":"source_sequence"}`},
	} {
		reason, ok := contract.RefusalOf(c.err)
		require.True(t, ok, name)
		encoded, err := json.Marshal(reason)
		require.NoError(t, err)
		require.JSONEq(t, c.want, string(encoded), name)
	}
	_, ok := contract.RefusalOf(errors.New("overloaded"))
	require.False(t, ok)
}
