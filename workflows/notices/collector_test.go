package notices_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"segue/contract"
	"segue/workflows/notices"
)

// worker plays a worker process and its Temporal.
type worker struct {
	t *testing.T
	*notices.Collector
	got []string // what the sink got, in order
}

func newWorker(t *testing.T) *worker {
	w := &worker{t: t}
	w.Collector = notices.New(w)
	return w
}

func (w *worker) Publish(n *contract.Notice) {
	w.got = append(w.got, fmt.Sprintf("%s.%d", n.RunID, n.Revision))
}

func (w *worker) Due(d contract.Due) {
	require.Equal(w.t, "cc/i1", d.ContactCenter+"/"+d.Interaction)
	w.got = append(w.got, fmt.Sprintf("due %s.%d", d.RunID, d.Revision))
}

// call passes a request through the interceptor, to a server with this answer.
func (w *worker) call(request, answer proto.Message, err error) {
	w.t.Helper()
	reply := answer.ProtoReflect().New().Interface()
	got := w.Interceptor()(w.t.Context(), "", request, reply, nil,
		func(_ context.Context, _ string, sent, into any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
			require.Same(w.t, request, sent)
			if err == nil {
				proto.Merge(into.(proto.Message), answer)
			}
			return err
		})
	require.Equal(w.t, err, got)
}

func task(token, runID string, started int64) *workflowservice.PollWorkflowTaskQueueResponse {
	return &workflowservice.PollWorkflowTaskQueueResponse{
		TaskToken: []byte(token), WorkflowExecution: &commonpb.WorkflowExecution{RunId: runID}, StartedEventId: started,
	}
}

func (w *worker) poll(answer *workflowservice.PollWorkflowTaskQueueResponse) {
	w.t.Helper()
	w.call(&workflowservice.PollWorkflowTaskQueueRequest{}, answer, nil)
}

// complete completes a task; next is what the answer carries.
func (w *worker) complete(token string, next *workflowservice.PollWorkflowTaskQueueResponse) {
	w.t.Helper()
	w.call(&workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte(token)},
		&workflowservice.RespondWorkflowTaskCompletedResponse{WorkflowTask: next}, nil)
}

func (w *worker) refused(token string, code codes.Code) {
	w.t.Helper()
	w.call(&workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte(token)},
		&workflowservice.RespondWorkflowTaskCompletedResponse{}, status.Error(code, "refused"))
}

func (w *worker) add(runID string, started int64, revisions ...int64) {
	for _, revision := range revisions {
		w.Add(notices.Task{RunID: runID, Started: started}, &contract.Notice{ContactCenter: "cc", Interaction: "i1", RunID: runID, Revision: revision})
	}
}

// saw requires what the sink got since the last call.
func (w *worker) saw(want ...string) {
	w.t.Helper()
	require.Equal(w.t, want, w.got)
	w.got = nil
}

func TestACompletedTaskIsPublishedInOrder(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.add("r", 3, 1, 2, 3)
	w.saw()
	w.complete("t1", nil)
	w.saw("due r.3", "r.1", "r.2", "r.3")
	w.complete("t1", nil)
	w.saw()
}

func TestATaskWithoutChangesIsSilent(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.complete("t1", nil)
	w.saw()
}

func TestRunsAreKeptApart(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.poll(task("t2", "s", 3))
	w.add("r", 3, 1)
	w.add("s", 3, 7)
	w.complete("t2", nil)
	w.saw("due s.7", "s.7")
	w.complete("t1", nil)
	w.saw("due r.1", "r.1")
}

func TestAnEmptyPollBeginsNothing(t *testing.T) {
	w := newWorker(t)
	w.poll(&workflowservice.PollWorkflowTaskQueueResponse{})
	w.add("", 0, 1)
	w.complete("", nil)
	w.saw()
}

// The SDK sends the same completion again until Temporal answers.
func TestAnErrorKeepsTheChanges(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.add("r", 3, 1)
	for _, code := range []codes.Code{codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded} {
		w.refused("t1", code)
		w.saw("due r.1")
	}
	w.complete("t1", nil)
	w.saw("due r.1", "r.1")
}

// Temporal took the completion, but its answer was lost. Each attempt announces the changes, the last
// one certainly after the commit.
func TestALostAnswerIsAnnounced(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.add("r", 3, 1)
	w.refused("t1", codes.Unavailable)
	w.refused("t1", codes.NotFound)
	w.saw("due r.1", "due r.1")
	w.poll(task("t2", "r", 7))
	w.complete("t2", nil)
	w.saw()
}

func TestARefusedTaskLeavesNothing(t *testing.T) {
	for _, code := range []codes.Code{codes.NotFound, codes.InvalidArgument} {
		w := newWorker(t)
		w.poll(task("t1", "r", 3))
		w.add("r", 3, 1, 2)
		w.refused("t1", code)
		w.saw("due r.2")
		w.add("r", 3, 8)
		w.poll(task("t2", "r", 7))
		w.add("r", 7, 1)
		w.complete("t2", nil)
		w.saw("due r.1", "r.1")
	}
}

// The task may come again with the same start, as one for an update does when a server restarts.
func TestARefusedTaskIsDoneAgain(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.add("r", 3, 1)
	w.refused("t1", codes.NotFound)
	w.poll(task("t2", "r", 3))
	w.add("r", 3, 1)
	w.complete("t2", nil)
	w.saw("due r.1", "due r.1", "r.1")
}

func TestAFailedTaskLeavesNothing(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.add("r", 3, 1)
	w.call(&workflowservice.RespondWorkflowTaskFailedRequest{TaskToken: []byte("t1")}, &workflowservice.RespondWorkflowTaskFailedResponse{}, nil)
	w.complete("t1", nil)
	w.saw()
}

func TestAHeartbeatCounts(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.add("r", 3, 1)
	w.complete("t1", task("t2", "r", 6))
	w.saw("due r.1", "r.1")
	w.add("r", 6, 2)
	w.complete("t2", task("t3", "r", 9))
	w.saw("due r.2", "r.2")
	w.complete("t3", nil)
	w.saw()
}

func TestAPageDoesNotCount(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.add("r", 3, 1)
	w.call(&workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte("t1"), IntermediatePage: true},
		&workflowservice.RespondWorkflowTaskCompletedResponse{}, nil)
	w.saw()
	w.complete("t1", nil)
	w.saw("due r.1", "r.1")
}

// The worker still works at a task that has timed out, and Temporal gives it the next one.
func TestATaskThatTimedOutAddsNothing(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.add("r", 3, 1)
	w.poll(task("t2", "r", 6))
	w.add("r", 3, 2)
	w.add("r", 6, 1)
	w.refused("t1", codes.NotFound)
	w.complete("t2", nil)
	w.saw("due r.1", "r.1")
}

// A task and its repetition have the same start if the first left no trace in the history.
func TestARepeatedTaskWithTheSameStartIsAnnounced(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 6))
	w.add("r", 6, 1)
	w.poll(task("t2", "r", 6))
	w.add("r", 6, 1, 2)
	w.refused("t1", codes.NotFound)
	w.refused("t2", codes.NotFound)
	w.saw("due r.2")
	w.poll(task("t3", "r", 6))
	w.add("r", 6, 1, 2)
	w.complete("t3", task("t4", "r", 9))
	w.saw("due r.2")
	w.add("r", 9, 3)
	w.complete("t4", nil)
	w.saw("due r.3", "r.3")
}

// The poll for the next task is answered before the completion is.
func TestTheNextTaskComesBeforeTheAnswer(t *testing.T) {
	for name, next := range map[string]int64{"another start": 6, "the same start": 3} {
		t.Run(name, func(t *testing.T) {
			w := newWorker(t)
			w.poll(task("t1", "r", 3))
			w.add("r", 3, 1)
			request := &workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte("t1")}
			require.NoError(t, w.Interceptor()(t.Context(), "", request, &workflowservice.RespondWorkflowTaskCompletedResponse{}, nil,
				func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
					w.poll(task("t2", "r", next))
					w.add("r", next, 2)
					return nil
				}))
			w.saw("due r.1", "r.1")
			w.add("r", next, 3)
			w.complete("t2", nil)
			w.saw("due r.3", "r.2", "r.3")
		})
	}
}

// The same, and the answer is lost. What the SDK sends again comes too late.
func TestTheNextTaskComesBeforeALostAnswer(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.add("r", 3, 1)
	request, lost := &workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte("t1")}, status.Error(codes.Unavailable, "lost")
	require.Equal(t, lost, w.Interceptor()(t.Context(), "", request, &workflowservice.RespondWorkflowTaskCompletedResponse{}, nil,
		func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
			w.poll(task("t2", "r", 6))
			w.add("r", 6, 2)
			return lost
		}))
	w.complete("t1", nil)
	w.saw("due r.1")
	w.complete("t2", nil)
	w.saw("due r.2", "r.2")
}

func TestADroppedTaskLeavesNothing(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 6))
	w.add("r", 6, 1)
	w.call(&workflowservice.RespondWorkflowTaskCompletedRequest{TaskToken: []byte("t1")},
		&workflowservice.RespondWorkflowTaskCompletedResponse{ResetHistoryEventId: 3}, nil)
	w.saw("due r.1")
	w.poll(task("t2", "r", 6)) // it begins where the dropped one did
	w.add("r", 6, 1)
	w.complete("t2", nil)
	w.saw("due r.1", "r.1")
}

// A query rebuilds the run from completed tasks, while another task is in progress or none is.
func TestAQueryTaskChangesNothing(t *testing.T) {
	w := newWorker(t)
	query := task("q", "r", 0)
	query.Query = &querypb.WorkflowQuery{QueryType: "state"}
	w.poll(query)
	w.add("r", 3, 1)
	w.poll(task("t1", "r", 6))
	w.add("r", 6, 2)
	w.poll(query)
	w.add("r", 3, 1)
	w.complete("t1", nil)
	w.saw("due r.2", "r.2")
}

func TestTheLastChangeIsAmended(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	w.add("r", 3, 1, 2)
	change := func(n *contract.Notice) { n.Revision *= 10 }
	w.AmendLast(notices.Task{RunID: "r", Started: 3}, change)
	w.AmendLast(notices.Task{RunID: "r", Started: 6}, change)
	w.complete("t1", task("t2", "r", 6))
	w.saw("due r.20", "r.1", "r.20")
	w.AmendLast(notices.Task{RunID: "r", Started: 6}, change)
	w.complete("t2", nil)
	w.saw()
}

// Of a task with thousands of changes, the last are published.
func TestALargeTaskIsBounded(t *testing.T) {
	w := newWorker(t)
	w.poll(task("t1", "r", 3))
	const last = 10_000
	for revision := range int64(last) {
		w.add("r", 3, revision+1)
	}
	w.complete("t1", nil)
	require.Equal(t, "due r.10000", w.got[0])
	require.Len(t, w.got, 1+1000)
	require.Equal(t, "r."+strconv.Itoa(last-1000+1), w.got[1])
	require.Equal(t, "r."+strconv.Itoa(last), w.got[1000])
}

// Tasks that never end here are forgotten when there are too many, the oldest first.
func TestTheTasksAreBounded(t *testing.T) {
	w := newWorker(t)
	for n := range int64(5000) {
		w.poll(task(fmt.Sprint("t", n), fmt.Sprint("r", n), 3))
		w.add(fmt.Sprint("r", n), 3, n)
	}
	w.complete("t0", nil)
	w.complete("t903", nil)
	w.saw()
	w.complete("t904", nil)
	w.complete("t4999", nil)
	w.saw("due r904.904", "r904.904", "due r4999.4999", "r4999.4999")
}
