package workflows

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// withDispatch is for the local activity Dispatch, which answers within a fraction of a
// second whatever receivers do. Only a defect or a dying process makes it fail; it is retried
// until it answers, because its events must not be lost.
func withDispatch(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 5 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 200 * time.Millisecond,
			MaximumInterval: 10 * time.Second,
		},
		Summary: summary,
	})
}

// withCancelReason is for reading the reason of a cancellation from Temporal. The end of
// the interaction waits for it for a few seconds at most.
func withCancelReason(ctx workflow.Context) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 3 * time.Second,
		RetryPolicy:            retryForever(),
		Summary:                "read the reason of the cancellation",
	})
}

// withRecover is for reading the state that an ended run left: its whole history is replayed.
func withRecover(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Minute,
		RetryPolicy:         retryForever(),
		Summary:             "read the state that the ended run left",
	})
}

// withAttempt is for sending requests. The result of a receiver is returned as an outcome,
// so a failure of the activity is a dead worker, detected by the missing heartbeat. It is
// retried forever.
func withAttempt(ctx workflow.Context, summary string, requests []contract.Request) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 15 * time.Minute,
		HeartbeatTimeout:    heartbeatTimeout(requests),
		RetryPolicy:         retryForever(),
		Summary:             summary,
	})
}

// maxHeartbeatTimeout is the longest time until a dead worker is detected.
const maxHeartbeatTimeout = 30 * time.Second

// heartbeatTimeout returns half of the longest timeout of the requests, within bounds. Each
// heartbeat is written to Temporal's database, so activities with slow requests send fewer.
func heartbeatTimeout(requests []contract.Request) time.Duration {
	longest := contract.UsualTimeout
	for _, r := range requests {
		longest = max(longest, r.Timeout)
	}
	return min(longest/2, maxHeartbeatTimeout)
}

// withHandOver is for appending to a Delivery workflow: a call to Temporal itself.
func withHandOver(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second,
		RetryPolicy:         retryForever(),
		Summary:             summary,
	})
}

// withInspect is for inspecting a call. It queries Temporal's visibility, and answers also
// if that fails.
func withInspect(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 15 * time.Second,
		RetryPolicy:         retryForever(),
		Summary:             summary,
	})
}

// withAlert is for appending alerts to their lane workflows. An alert that Temporal does
// not take for an hour must not block those after it.
func withAlert(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    15 * time.Second,
		ScheduleToCloseTimeout: time.Hour,
		RetryPolicy:            retryForever(),
		Summary:                summary,
	})
}

// withRender is for rendering a request again, which calls no other system.
func withRender(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second,
		RetryPolicy:         retryForever(),
		Summary:             summary,
	})
}

// withPriority sets the priority of an activity of the interaction: the client that started the
// workflow may have set none. Before the first Dispatch the priority is not known.
func (r *run) withPriority(ctx workflow.Context) workflow.Context {
	return workflow.WithPriority(ctx, r.priority().ForContactCenter(r.owner.ContactCenter))
}

func (r *run) priority() (p contract.Priority) {
	if r.Rules != nil {
		p = r.Rules.Priority
	}
	return p
}

func retryForever() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{
		InitialInterval:    200 * time.Millisecond,
		BackoffCoefficient: 2,
		MaximumInterval:    30 * time.Second,
	}
}

const (
	// summaryLimit is what servers take of a summary, in bytes of its payload.
	summaryLimit = 400
	// summarySpare is for the payload's encoding.
	summarySpare = 40
)

// summaryOf formats a summary, bounded to what the server takes and a person reads.
// Characters that JSON escapes take up to six bytes.
func summaryOf(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	for limit := 117; len(text) > 120 || jsonLength(text) > summaryLimit-summarySpare; limit /= 2 {
		text = strings.ToValidUTF8(text[:min(limit, len(text))], "") + "..."
	}
	return text
}

func jsonLength(text string) int {
	encoded, err := json.Marshal(text)
	if err != nil {
		return len(text)
	}
	return len(encoded)
}

// withChild is for the draft that a reply starts; it outlives its parent.
func (r *run) withChild(ctx workflow.Context, child interaction.Start) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            contract.InteractionWorkflowID(child.ContactCenter, child.ID),
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		Priority:              r.priority().ForContactCenter(child.ContactCenter),
		TypedSearchAttributes: contract.StartAttributes(child),
		StaticSummary:         summaryOf("%s interaction %s, reply to %s", child.Channel, child.ID, child.Parent),
	})
}
