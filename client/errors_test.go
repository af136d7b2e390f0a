package client_test

import (
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/mocks"

	"segue/client"
)

// A server that knows that no worker polls returns FailedPrecondition at once.
func TestAQueryWithoutAPollerIsErrNoWorker(t *testing.T) {
	temporal := mocks.NewClient(t)
	answers := temporal.On("QueryWorkflow", mock.Anything, "interaction/cc/i1", "", "state")
	c := &client.Client{Temporal: temporal, TaskQueue: "segue"}
	query := func(err error) error {
		answers.Return(nil, err)
		_, err = c.State(t.Context(), client.Name{ContactCenter: "cc", ID: "i1"})
		return err
	}
	err := query(serviceerror.NewFailedPrecondition("no poller seen for task queue recently, worker may be down"))
	require.ErrorIs(t, err, client.ErrNoWorker)
	require.ErrorContains(t, err, "cc/i1: no worker answered on task queue segue")
	other := serviceerror.NewFailedPrecondition("workflow is not ready")
	require.ErrorIs(t, query(other), other)
}
