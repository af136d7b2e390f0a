package workflows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

// TestUserDataBeyondItsBoundIsRefused: an update is refused before it is in the history, a
// signal is recorded as rejected, both with the size.
func TestUserDataBeyondItsBoundIsRefused(t *testing.T) {
	const figure = "all user data together has 81935 bytes; keep it within 65536"
	large := func(key string) string {
		return fmt.Sprintf(`{"user_data":{%q:%q}}`, key, strings.Repeat("x", 40<<10))
	}
	e := inOrder(t)
	var fits, beyond, inTurn *updateCallbacks
	e.at(time.Second, func() { fits = e.update("u1", "attach_user_data", large("a")) })
	e.at(2*time.Second, func() {
		beyond = e.update("u2", "attach_user_data", large("b"))
		e.SignalWorkflow("attach_user_data", json.RawMessage(large("b")))
		inTurn = e.update("u3", "update_user_data", numbered(1, large("b")))
	})
	e.at(3*time.Second, func() {
		require.NoError(t, fits.failed)
		require.Equal(t, contract.ErrorInvalidPayload, errorType(t, beyond.rejected))
		require.ErrorContains(t, beyond.rejected, figure)
		require.Equal(t, contract.ErrorInvalidPayload, errorType(t, inTurn.failed))
		require.ErrorContains(t, inTurn.failed, figure)
		rejected := query[[]contract.Rejected](e, contract.QueryRejected)
		require.Len(t, rejected, 1)
		require.Contains(t, rejected[0].Reason, figure)
		require.Len(t, e.status().UserData, 1)
		e.SignalWorkflow("abandon", json.RawMessage(`{}`))
	})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
}
