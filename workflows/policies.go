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

// withDispatch is for the local activity Dispatch. It answers within a fraction
// of a second whatever receivers do; only a defect or a dying process fails it,
// and then it is tried until it answers, for its events must not be lost.
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

// withCancelReason is for reading from Temporal why the workflow was canceled. The
// end waits a moment for it, and no longer.
func withCancelReason(ctx workflow.Context) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 3 * time.Second,
		RetryPolicy:            untilItWorks(),
		Summary:                "why it was canceled",
	})
}

// withRecover is for reading what an ended run left: its whole history is replayed.
func withRecover(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Minute,
		RetryPolicy:         untilItWorks(),
		Summary:             "what the ended run left",
	})
}

// withAttempt is for sending requests. What a receiver does comes back as an
// outcome, so a failure of the activity is a dead worker, found by the missing
// heartbeat, and is tried again without end.
func withAttempt(ctx workflow.Context, summary string, requests []contract.Request) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 15 * time.Minute,
		HeartbeatTimeout:    heartbeatTimeout(requests),
		RetryPolicy:         untilItWorks(),
		Summary:             summary,
	})
}

// maxHeartbeatTimeout is the longest time after which a dead worker is noticed.
const maxHeartbeatTimeout = 30 * time.Second

// heartbeatTimeout is half of the longest timeout of the requests, within bounds. Each
// heartbeat is written to Temporal's database, so requests that may take long send fewer.
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
		RetryPolicy:         untilItWorks(),
		Summary:             summary,
	})
}

// withInspect is for looking at a call: it asks Temporal's lists, and answers also
// when they do not.
func withInspect(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 15 * time.Second,
		RetryPolicy:         untilItWorks(),
		Summary:             summary,
	})
}

// withAlert is for appending alerts to their lane workflows. One that Temporal does
// not take for so long must not keep back those after it.
func withAlert(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    15 * time.Second,
		ScheduleToCloseTimeout: time.Hour,
		RetryPolicy:            untilItWorks(),
		Summary:                summary,
	})
}

// withRender is for rendering a request anew, which asks nobody.
func withRender(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second,
		RetryPolicy:         untilItWorks(),
		Summary:             summary,
	})
}

// inTurn gives an activity of the interaction its turn: whoever started the workflow
// may have said nothing of whose it is. Before the first Dispatch nobody knows more.
func (r *run) inTurn(ctx workflow.Context) workflow.Context {
	return workflow.WithPriority(ctx, r.priority().ForContactCenter(r.owner.ContactCenter))
}

func (r *run) priority() (p contract.Priority) {
	if r.Rules != nil {
		p = r.Rules.Priority
	}
	return p
}

func untilItWorks() *temporal.RetryPolicy {
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

// summaryOf bounds a summary to what the server takes and a person reads. Characters that JSON escapes take up to six
// bytes.
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

// withChild is for an interaction that a reply starts: it has a life of its own.
func (r *run) withChild(ctx workflow.Context, child interaction.Start) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            contract.InteractionWorkflowID(child.ContactCenter, child.ID),
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		Priority:              r.priority().ForContactCenter(child.ContactCenter),
		StaticSummary:         summaryOf("%s interaction %s, reply to %s", child.Channel, child.ID, child.Parent),
	})
}
