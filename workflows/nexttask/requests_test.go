package nexttask_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"segue/workflows/nexttask"
)

const asking = "interaction/cc/i1"

// respond passes an answer of a worker through the interceptor, to a server with this result.
func respond(t *testing.T, r *nexttask.Requests, request any, result error) {
	t.Helper()
	err := r.Interceptor()(t.Context(), "", request, nil, nil,
		func(_ context.Context, _ string, sent, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
			require.Same(t, request, sent)
			return result
		})
	require.ErrorIs(t, err, result)
}

func completion(workflowID string) *workflowservice.RespondWorkflowTaskCompletedRequest {
	return &workflowservice.RespondWorkflowTaskCompletedRequest{ResourceId: "workflow:" + workflowID}
}

func TestTheNextTaskIsAskedForOnce(t *testing.T) {
	r := nexttask.New()
	r.Add(asking)
	for _, c := range []struct {
		workflowID string
		forced     bool
	}{{"interaction/cc/other", false}, {asking, true}, {asking, false}} {
		request := completion(c.workflowID)
		respond(t, r, request, nil)
		require.Equal(t, c.forced, request.GetForceCreateNewWorkflowTask(), c.workflowID)
	}
}

// The SDK sends the same request again if the server does not answer.
func TestARepeatedAnswerAsksAgain(t *testing.T) {
	r := nexttask.New()
	r.Add(asking)
	request, unavailable := completion(asking), errors.New("unavailable")
	respond(t, r, request, unavailable)
	respond(t, r, request, nil)
	require.True(t, request.GetForceCreateNewWorkflowTask())
}

func TestTheLastPageOfAnAnswerAsks(t *testing.T) {
	r := nexttask.New()
	r.Add(asking)
	first := completion(asking)
	first.IntermediatePage = true
	respond(t, r, first, nil)
	require.False(t, first.GetForceCreateNewWorkflowTask())
	last := completion(asking)
	respond(t, r, last, nil)
	require.True(t, last.GetForceCreateNewWorkflowTask())
}

func TestAFailedTaskAsksForNothing(t *testing.T) {
	r := nexttask.New()
	r.Add(asking)
	respond(t, r, &workflowservice.RespondWorkflowTaskFailedRequest{ResourceId: "workflow:" + asking}, nil)
	request := completion(asking)
	respond(t, r, request, nil)
	require.False(t, request.GetForceCreateNewWorkflowTask())
}

func TestOtherRequestsPass(t *testing.T) {
	r := nexttask.New()
	r.Add(asking)
	respond(t, r, &workflowservice.PollWorkflowTaskQueueRequest{}, nil)
	request := completion(asking)
	respond(t, r, request, nil)
	require.True(t, request.GetForceCreateNewWorkflowTask())
}
