package sequences_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/replay"
	"segue/workflows"
)

var quiet = log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))

// states are the answers that an interaction would have given to each query after each of its workflow tasks, in
// order.
type states map[string][]string

// find returns the index of the first state after the given one in which a query has this answer; -1 if there is
// none.
func (s states) find(query, answer string, after int) int {
	for n := after; n < len(s[query]); n++ {
		if s[query][n] == answer {
			return n
		}
	}
	return -1
}

// replayed replays the history of one run and appends the states that it passes through. It returns an error if the
// workflow does not repeat what the history recorded.
func (s states) replayed(history []*historypb.HistoryEvent) error {
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return err
	}
	seen := &recorder{}
	replayer, err := sdkworker.NewWorkflowReplayerWithOptions(sdkworker.WorkflowReplayerOptions{
		Plugins: []sdkworker.Plugin{plugin}, Interceptors: []interceptor.WorkerInterceptor{seen},
	})
	if err != nil {
		return err
	}
	workflows.Register(replayer)
	started := history[0].GetWorkflowExecutionStartedEventAttributes()
	err = replayer.ReplayWorkflowHistoryWithOptions(quiet, &historypb.History{Events: history}, sdkworker.ReplayWorkflowHistoryOptions{
		OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()},
	})
	if err != nil {
		return err
	}
	for query, answers := range seen.answers {
		for _, a := range answers {
			s[query] = append(s[query], a.json)
		}
	}
	return seen.err
}

// recorder records what one run would answer to its queries at the end of each task.
type recorder struct {
	interceptor.WorkerInterceptorBase
	handlers map[string]any
	answers  map[string][]answer
	err      error
}

type answer struct {
	task int // the length of the history at its start
	json string
}

// InterceptWorkflow wraps one run.
func (r *recorder) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	r.handlers, r.answers = map[string]any{}, map[string][]answer{}
	run := &recorded{recorder: r}
	run.Next = next
	return run
}

// note overwrites what was recorded earlier in the same task.
func (r *recorder) note(ctx workflow.Context) {
	task := workflow.GetInfo(ctx).GetCurrentHistoryLength()
	for query, handler := range r.handlers {
		results := reflect.ValueOf(handler).Call(withoutArguments(handler))
		text, err := json.Marshal(results[0].Interface())
		if err != nil {
			r.err = fmt.Errorf("query %s: %w", query, err)
			return
		}
		noted := r.answers[query]
		if n := len(noted); n > 0 && noted[n-1].task == task {
			noted = noted[:n-1]
		}
		r.answers[query] = append(noted, answer{task: task, json: string(text)})
	}
}

// withoutArguments returns what the SDK gives a handler whose query has no arguments.
func withoutArguments(handler any) []reflect.Value {
	of := reflect.TypeOf(handler)
	zeros := make([]reflect.Value, of.NumIn())
	for i := range zeros {
		zeros[i] = reflect.Zero(of.In(i))
	}
	return zeros
}

type recorded struct {
	interceptor.WorkflowInboundInterceptorBase
	recorder *recorder
}

func (r *recorded) Init(next interceptor.WorkflowOutboundInterceptor) error {
	out := &outbound{recorder: r.recorder}
	out.Next = next
	return r.Next.Init(out)
}

// ExecuteWorkflow adds a coroutine that never continues: the SDK evaluates its condition last, when all others are
// blocked.
func (r *recorded) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	workflow.Go(lasting, func(ctx workflow.Context) {
		_ = workflow.Await(ctx, func() bool { r.recorder.note(ctx); return false })
	})
	result, err := r.Next.ExecuteWorkflow(ctx, in)
	r.recorder.note(ctx)
	return result, err
}

type outbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	recorder *recorder
}

func (o *outbound) SetQueryHandlerWithOptions(ctx workflow.Context, query string, handler any, options workflow.QueryHandlerOptions) error {
	o.recorder.handlers[query] = handler
	return o.Next.SetQueryHandlerWithOptions(ctx, query, handler, options)
}

// historyOf fetches the history of one run; next is the run that continued it, if any.
func historyOf(ctx context.Context, c client.Client, workflowID, runID string) (events []*historypb.HistoryEvent, next string, err error) {
	pages := c.GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for pages.HasNext() {
		event, err := pages.Next()
		if err != nil {
			return nil, "", fmt.Errorf("history of %s: %w", workflowID, err)
		}
		events = append(events, event)
		next = event.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
	return events, next, nil
}

// outline lists the events of an interaction's last run for the log.
func outline(ctx context.Context, c client.Client, workflowID string) string {
	events, _, err := historyOf(ctx, c, workflowID, "")
	if err != nil {
		return err.Error()
	}
	var lines strings.Builder
	for _, event := range events {
		fmt.Fprintf(&lines, "%4d %s %s\n", event.GetEventId(), event.GetEventTime().AsTime().Format("15:04:05.000"), event.GetEventType())
	}
	return lines.String()
}

// replayOthers replays the lanes and receivers that a task queue's interactions started.
func replayOthers(ctx context.Context, c client.Client, taskQueue string) (replayed int, err error) {
	request := &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("TaskQueue = %q AND WorkflowType IN (%q, %q)", taskQueue, contract.WorkflowDelivery, contract.WorkflowReceiver),
	}
	for {
		listed, err := c.ListWorkflow(ctx, request)
		if err != nil {
			return replayed, fmt.Errorf("listing lanes and receivers: %w", err)
		}
		for _, info := range listed.GetExecutions() {
			execution := workflow.Execution{ID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId()}
			if err := replay.Execution(ctx, c, execution, quiet); err != nil {
				return replayed, fmt.Errorf("replay of %s: %w", execution.ID, err)
			}
			replayed++
		}
		if request.NextPageToken = listed.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return replayed, nil
		}
	}
}
