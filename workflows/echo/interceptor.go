package echo

import (
	"context"

	protocolpb "go.temporal.io/api/protocol/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Limit is the size of a completion, in bytes, above which it repeats no requests.
const Limit = 2 << 20

// Interceptor returns a gRPC interceptor for the client of the worker.
func Interceptor() grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if completion, ok := request.(*workflowservice.RespondWorkflowTaskCompletedRequest); ok && proto.Size(completion) > Limit {
			shorten(completion)
		}
		return invoke(ctx, method, request, reply, conn, options...)
	}
}

func shorten(completion *workflowservice.RespondWorkflowTaskCompletedRequest) {
	for _, message := range completion.GetMessages() {
		if short := withoutRequest(message); short != nil {
			message.Body = short
		}
	}
}

// withoutRequest returns the body of a message without the request that it repeats; nil if it repeats none.
func withoutRequest(message *protocolpb.Message) *anypb.Any {
	body, err := message.GetBody().UnmarshalNew()
	if err != nil {
		return nil // a message of a later SDK: it is sent as it is
	}
	switch body := body.(type) {
	case *updatepb.Acceptance:
		body.AcceptedRequest = nil
	case *updatepb.Rejection:
		body.RejectedRequest = nil
	default:
		return nil
	}
	short, err := anypb.New(body)
	if err != nil {
		return nil // as above
	}
	return short
}
