package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"

	"segue/client"
	"segue/contract"
	"segue/interaction"
)

var i1 = client.Name{ContactCenter: "cc", ID: "i1"}

// handleOf returns the handle of an update that a run has answered.
func handleOf(t *testing.T) *mocks.WorkflowUpdateHandle {
	handle := mocks.NewWorkflowUpdateHandle(t)
	handle.On("Get", mock.Anything, mock.Anything).Return(nil)
	handle.On("RunID").Return("run-7")
	return handle
}

func TestSendUpdateRetriesWithTheSameIDAndReturnsTheRun(t *testing.T) {
	for title, transient := range map[string]error{
		"not ready":  serviceerror.NewWorkflowNotReady("no task has run yet"),
		"down":       serviceerror.NewUnavailable("down"),
		"aborted":    serviceerror.NewAborted("shard moved"),
		"busy":       serviceerror.NewResourceExhausted(0, "busy"),
		"full run":   serviceerror.NewFailedPrecondition("The limit on the total number of distinct updates in this workflow has been reached (2000)."),
		"overloaded": temporal.NewApplicationError("later", contract.ErrorOverloaded),
	} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := mocks.NewClient(t)
				withID := mock.MatchedBy(func(o sdkclient.UpdateWorkflowOptions) bool { return o.UpdateID == "u1" && o.UpdateName == "hold" })
				server.On("UpdateWorkflow", mock.Anything, withID).Return(nil, transient).Times(3)
				server.On("UpdateWorkflow", mock.Anything, withID).Return(handleOf(t), nil).Once()
				c := &client.Client{Temporal: server}
				runID, err := c.SendUpdate(t.Context(), i1, client.Message{Name: "hold", ID: "u1"}, &contract.Answer{})
				require.NoError(t, err)
				require.Equal(t, "run-7", runID)
			})
		})
	}
}

func TestSendUpdateDoesNotRetryWhatIsNotWanted(t *testing.T) {
	server := mocks.NewClient(t)
	server.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(nil, serviceerror.NewUnavailable("down")).Once()
	c := &client.Client{Temporal: server}
	_, err := c.SendUpdate(t.Context(), i1, client.Message{Name: "hold", ID: "u1", Wanted: func() bool { return false }}, &contract.Answer{})
	require.ErrorIs(t, err, client.ErrUnreachable)
}

func TestSendUpdateWaitsASecondForAnOverloadedInteraction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := mocks.NewClient(t)
		server.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(nil, temporal.NewApplicationError("later", contract.ErrorOverloaded))
		began := time.Now()
		_, err := (&client.Client{Temporal: server}).SendUpdate(t.Context(), i1, client.Message{Name: "hold", ID: "u1"}, &contract.Answer{})
		var refused *client.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, contract.ErrorOverloaded, refused.Type)
		require.Less(t, time.Since(began), 3*time.Second)
		require.Greater(t, time.Since(began), time.Second)
	})
}

// Whatever the reason for which there is no outcome when the deadline ends, it is one of two errors.
func TestTheOutcomeIsOpenWhenTheDeadlineEnds(t *testing.T) {
	for title, test := range map[string]struct{ cause, expected error }{
		"down":      {serviceerror.NewUnavailable("down"), nil},
		"busy":      {serviceerror.NewResourceExhausted(0, "busy"), nil},
		"not ready": {serviceerror.NewWorkflowNotReady("no task has run yet"), client.ErrNoWorker},
		"no poller": {serviceerror.NewFailedPrecondition("no poller seen"), client.ErrNoWorker},
	} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := mocks.NewClient(t)
				server.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(nil, test.cause)
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				began := time.Now()
				_, err := (&client.Client{Temporal: server}).SendUpdate(ctx, i1, client.Message{Name: "hold", ID: "u1"}, &contract.Answer{})
				require.LessOrEqual(t, time.Since(began), 4*time.Second)
				isOpen := errors.Is(err, client.ErrNoWorker) || errors.Is(err, client.ErrUnreachable)
				require.True(t, isOpen, "%v", err)
				if test.expected != nil {
					require.ErrorIs(t, err, test.expected)
				}
			})
		})
	}
}

func TestARefusalHasItsReason(t *testing.T) {
	detailed := contract.Refusal{Why: interaction.WhyAgent, State: "handling", Legal: []string{"hold"}}
	for title, test := range map[string]struct {
		err      error
		expected contract.Refusal
	}{
		"with details": {
			temporal.NewApplicationErrorWithOptions("no", contract.ErrorIllegalCommand, temporal.ApplicationErrorOptions{Details: []any{detailed}}), detailed,
		},
		"of an older worker": {temporal.NewApplicationError("no", contract.ErrorIllegalCommand), contract.Refusal{Why: interaction.WhyState}},
		"invalid there":      {temporal.NewApplicationError("no", contract.ErrorInvalidPayload), contract.Refusal{Why: interaction.WhyInvalid}},
		"an unknown command": {temporal.NewApplicationError("unknown update x", ""), contract.Refusal{Why: interaction.WhyUnknown}},
	} {
		t.Run(title, func(t *testing.T) {
			server := mocks.NewClient(t)
			server.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(nil, test.err)
			_, err := (&client.Client{Temporal: server}).Update(t.Context(), i1, "hold", "e1", json.RawMessage(`{}`))
			var refused *client.RefusedError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, test.expected, refused.Refusal)
		})
	}
}

func TestALimitOfTemporalIsARefusal(t *testing.T) {
	for title, row := range map[string]struct {
		err   error
		wants string
		why   interaction.Why
		tries int
	}{
		"a run with 2,000 updates": {serviceerror.NewFailedPrecondition("The limit on the total number of distinct updates in this workflow has been reached (2000)."), contract.ErrorOverloaded, "", 6},
		"a payload":                {serviceerror.NewInvalidArgument("Blob data size exceeds limit."), contract.ErrorInvalidPayload, interaction.WhyTooLarge, 1},
		"a gRPC message":           {serviceerror.NewResourceExhausted(0, "grpc: received message larger than max (5 vs. 4)"), contract.ErrorInvalidPayload, interaction.WhyTooLarge, 1},
	} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, tries := mocks.NewClient(t), 0
				server.On("UpdateWorkflow", mock.Anything, mock.Anything).Run(func(mock.Arguments) { tries++ }).Return(nil, row.err)
				_, err := (&client.Client{Temporal: server}).SendUpdate(t.Context(), i1, client.Message{Name: "hold", ID: "u1"}, &contract.Answer{})
				var refused *client.RefusedError
				require.ErrorAs(t, err, &refused)
				require.Equal(t, row.wants, refused.Type)
				require.Equal(t, row.why, refused.Why)
				require.LessOrEqual(t, tries, row.tries)
				if row.wants == contract.ErrorOverloaded {
					require.Greater(t, tries, 1)
				}
			})
		})
	}
}
