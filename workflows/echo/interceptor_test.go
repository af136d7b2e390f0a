package echo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	protocolpb "go.temporal.io/api/protocol/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"segue/workflows/echo"
)

func requestOf(size int) *updatepb.Request {
	return &updatepb.Request{Input: &updatepb.Input{Args: &commonpb.Payloads{Payloads: []*commonpb.Payload{{Data: make([]byte, size)}}}}}
}

func completionOf(t *testing.T, bodies ...proto.Message) *workflowservice.RespondWorkflowTaskCompletedRequest {
	completion := &workflowservice.RespondWorkflowTaskCompletedRequest{}
	for _, body := range bodies {
		packed, err := anypb.New(body)
		require.NoError(t, err)
		completion.Messages = append(completion.Messages, &protocolpb.Message{Id: "m", Body: packed})
	}
	return completion
}

func send(t *testing.T, request any) {
	err := echo.Interceptor()(t.Context(), "", request, nil, nil,
		func(_ context.Context, _ string, sent, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
			require.Same(t, request, sent)
			return nil
		})
	require.NoError(t, err)
}

func TestALargeCompletionRepeatsNoRequests(t *testing.T) {
	outcome := &updatepb.Response{Meta: &updatepb.Meta{UpdateId: "u"}}
	completion := completionOf(t,
		&updatepb.Acceptance{AcceptedRequestMessageId: "a", AcceptedRequestSequencingEventId: 7, AcceptedRequest: requestOf(echo.Limit)},
		outcome,
		&updatepb.Rejection{RejectedRequestMessageId: "r", RejectedRequest: requestOf(100)},
	)
	send(t, completion)
	want := completionOf(t, &updatepb.Acceptance{AcceptedRequestMessageId: "a", AcceptedRequestSequencingEventId: 7},
		outcome, &updatepb.Rejection{RejectedRequestMessageId: "r"})
	require.True(t, proto.Equal(want, completion), "%v", completion)
}

func TestWhatFitsIsSentAsItIs(t *testing.T) {
	completion := completionOf(t, &updatepb.Acceptance{AcceptedRequest: requestOf(echo.Limit / 2)})
	before := proto.Clone(completion)
	send(t, completion)
	require.True(t, proto.Equal(before, completion))
	send(t, &workflowservice.PollWorkflowTaskQueueRequest{})
}
