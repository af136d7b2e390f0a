package drive_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"

	"segue/starter/drive"
	"segue/workflows"
)

// An interaction that owes its receivers too much is waited out, as long as the client's
// patience lasts: a minute is for the answer to one try.
func TestAnOverloadedInteractionIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const overloaded = 5 * time.Minute
		began := time.Now()
		handle := mocks.NewWorkflowUpdateHandle(t)
		handle.On("Get", mock.Anything, mock.Anything).Return(nil)
		server := mocks.NewClient(t)
		server.On("UpdateWorkflow", mock.Anything, mock.MatchedBy(func(o client.UpdateWorkflowOptions) bool {
			return time.Since(began) < overloaded && o.UpdateID == "e1"
		})).Return(nil, temporal.NewApplicationError("later", workflows.ErrorOverloaded))
		server.On("UpdateWorkflow", mock.Anything, mock.MatchedBy(func(o client.UpdateWorkflowOptions) bool {
			return time.Since(began) >= overloaded && o.UpdateID == "e1"
		})).Return(handle, nil).Once()

		name := drive.Name{ContactCenter: "cc", ID: "i1"}
		patient := &drive.Client{Temporal: server, Patience: time.Hour}
		_, err := patient.Update(t.Context(), name, "dtmf", "e1", json.RawMessage(`{"digits":"1"}`))
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(began), overloaded)

		began = time.Now()
		hasty := &drive.Client{Temporal: server, Patience: time.Second}
		_, err = hasty.Update(t.Context(), name, "dtmf", "e1", json.RawMessage(`{"digits":"1"}`))
		var refused *drive.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, workflows.ErrorOverloaded, refused.Type)
		require.Less(t, time.Since(began), 2*time.Second)
	})
}
