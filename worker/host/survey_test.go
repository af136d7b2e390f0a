package host_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"
	"google.golang.org/protobuf/types/known/timestamppb"

	"segue/metrics"
	"segue/metrics/metricstest"
	"segue/worker/host"
)

func lane(t *testing.T, call string, parked any, started time.Time) *workflowpb.WorkflowExecutionInfo {
	t.Helper()
	fields := map[string]*commonpb.Payload{}
	for name, value := range map[string]any{"SegueCall": call, "SegueParked": parked} {
		if value == nil {
			continue
		}
		payload, err := converter.GetDefaultDataConverter().ToPayload(value)
		require.NoError(t, err)
		fields[name] = payload
	}
	return &workflowpb.WorkflowExecutionInfo{StartTime: timestamppb.New(started), SearchAttributes: &commonpb.SearchAttributes{IndexedFields: fields}}
}

func TestASurveyAddsUpTheLanesByCall(t *testing.T) {
	now := time.Now().UTC()
	c := mocks.NewClient(t)
	pages := map[string]*workflowservice.ListWorkflowExecutionsResponse{
		"": {Executions: []*workflowpb.WorkflowExecutionInfo{lane(t, "crm", 2, now), lane(t, "bi", nil, now.Add(-time.Minute))}, NextPageToken: []byte("2")},
		"2": {Executions: []*workflowpb.WorkflowExecutionInfo{
			lane(t, "crm", 0, now.Add(-time.Hour)), lane(t, "crm", 1, now), lane(t, "bi", "no number", now),
		}},
	}
	c.On("ListWorkflow", mock.Anything, mock.Anything).Return(func(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
		require.Equal(t, "WorkflowType = 'Delivery' AND ExecutionStatus = 'Running' AND TaskQueue = 'segue'", r.GetQuery())
		return pages[string(r.GetNextPageToken())], nil
	}).Twice()
	c.On("CountWorkflow", mock.Anything, mock.Anything).Return(func(_ context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
		undelivered, ok := strings.CutPrefix(r.GetQuery(), "WorkflowType = 'Interaction' AND ExecutionStatus = 'Running' AND TaskQueue = 'segue'")
		require.True(t, ok, r.GetQuery())
		if undelivered == " AND SegueUndelivered > 0" {
			return &workflowservice.CountWorkflowExecutionsResponse{Count: 3}, nil
		}
		require.Empty(t, undelivered)
		return &workflowservice.CountWorkflowExecutionsResponse{Count: 40}, nil
	}).Twice()
	found, err := host.Survey(t.Context(), c, "segue")
	require.NoError(t, err)
	require.Equal(t, map[string]metrics.Lanes{
		"crm": {Open: 3, WithParked: 2, Parked: 3, Oldest: now.Add(-time.Hour)},
		"bi":  {Open: 2, Oldest: now.Add(-time.Minute)},
	}, found.Lanes)
	require.Equal(t, []int{40, 3}, []int{found.Interactions, found.Undelivered})
}

func TestAFailedSurveyReturnsTheError(t *testing.T) {
	c := mocks.NewClient(t)
	c.On("ListWorkflow", mock.Anything, mock.Anything).Return(nil, errors.New("too many requests"))
	_, err := host.Survey(t.Context(), c, "segue")
	require.EqualError(t, err, "listing lanes: too many requests")
}

// flaky is a Temporal whose visibility sometimes fails.
type flaky struct {
	*mocks.Client
	fails   atomic.Bool
	asked   atomic.Int64
	pollers func() ([]*taskqueuepb.PollerInfo, error) // nil for none
}

func (f *flaky) DescribeTaskQueue(_ context.Context, taskQueue string, kind enumspb.TaskQueueType) (*workflowservice.DescribeTaskQueueResponse, error) {
	if taskQueue != "segue" || kind != enumspb.TASK_QUEUE_TYPE_WORKFLOW {
		return nil, errors.New("another task queue")
	}
	if f.pollers == nil {
		return &workflowservice.DescribeTaskQueueResponse{}, nil
	}
	pollers, err := f.pollers()
	return &workflowservice.DescribeTaskQueueResponse{Pollers: pollers}, err
}

func (f *flaky) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	f.asked.Add(1)
	if f.fails.Load() {
		return nil, errors.New("too many requests")
	}
	return &workflowservice.ListWorkflowExecutionsResponse{}, nil
}

func (f *flaky) CountWorkflow(context.Context, *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	return &workflowservice.CountWorkflowExecutionsResponse{Count: 1}, nil
}

func TestSurveysAreRareAndExpire(t *testing.T) {
	probe := metricstest.New(t)
	synctest.Test(t, func(t *testing.T) {
		logged := &lines{}
		c := &flaky{Client: &mocks.Client{}}
		s := host.NewSurveyor(host.Options{
			Client: c, TaskQueue: "segue", Metrics: probe.Exporter, Log: slog.New(slog.NewJSONHandler(logged, nil)),
		})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		require.Nil(t, s.Recent())
		time.Sleep(2 * time.Second) // of the bubble's time
		require.Equal(t, 1, s.Recent().Interactions)
		time.Sleep(10 * time.Minute)
		require.LessOrEqual(t, c.asked.Load(), int64(21), "at most twice a minute")
		require.GreaterOrEqual(t, c.asked.Load(), int64(18))

		c.fails.Store(true)
		time.Sleep(10 * time.Minute)
		require.NotNil(t, s.Recent(), "the last survey")
		time.Sleep(10 * time.Minute)
		require.Nil(t, s.Recent(), "too old")
		require.Len(t, logged.of(t, "cannot count lanes and interactions; their metrics are unchanged"), 1)
		cancel()
		running.Wait()
	})
	require.Positive(t, probe.Values("segue_surveys_total")["outcome=failed"])
	require.Positive(t, probe.Values("segue_surveys_total")["outcome=ok"])
}

// poller is a worker that polled some time ago.
func poller(identity string, ago time.Duration) *taskqueuepb.PollerInfo {
	return &taskqueuepb.PollerInfo{Identity: identity, LastAccessTime: timestamppb.New(time.Now().Add(-ago))}
}

// surveying runs the surveyor of the worker "m" in a bubble of its own time.
func surveying(t *testing.T, pollers func() ([]*taskqueuepb.PollerInfo, error), during func(*host.Surveyor, *flaky)) {
	synctest.Test(t, func(t *testing.T) {
		c := &flaky{Client: &mocks.Client{}, pollers: pollers}
		s := host.NewSurveyor(host.Options{Client: c, TaskQueue: "segue", Log: slog.New(slog.DiscardHandler)})
		s.Identify("m")
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		during(s, c)
		cancel()
		running.Wait()
	})
}

func TestOneWorkerOfTheTaskQueueSurveys(t *testing.T) {
	for name, tc := range map[string]struct {
		pollers func() ([]*taskqueuepb.PollerInfo, error)
		chosen  bool
	}{
		"alone": {nil, true},
		"the smallest": {func() ([]*taskqueuepb.PollerInfo, error) {
			return []*taskqueuepb.PollerInfo{poller("z@surveys", 0), poller("m@surveys", time.Minute), poller("n@surveys", 0)}, nil
		}, true},
		"not the smallest": {func() ([]*taskqueuepb.PollerInfo, error) {
			return []*taskqueuepb.PollerInfo{poller("m@surveys", 0), poller("a@surveys", time.Minute)}, nil
		}, false},
		"a smaller one is gone": {func() ([]*taskqueuepb.PollerInfo, error) {
			return []*taskqueuepb.PollerInfo{poller("a@surveys", 2*time.Minute), poller("m@surveys", 0)}, nil
		}, true},
		"a smaller one has no metrics": {func() ([]*taskqueuepb.PollerInfo, error) {
			return []*taskqueuepb.PollerInfo{poller("a@host@", 0), poller("m@surveys", 0)}, nil
		}, true},
		"unknown": {func() ([]*taskqueuepb.PollerInfo, error) {
			return []*taskqueuepb.PollerInfo{poller("a@surveys", 0)}, errors.New("permission denied")
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			surveying(t, tc.pollers, func(s *host.Surveyor, c *flaky) {
				time.Sleep(5 * time.Minute) // of the bubble's time
				require.Equal(t, tc.chosen, s.Recent() != nil)
				require.Equal(t, tc.chosen, c.asked.Load() > 0)
			})
		})
	}
}

func TestADeadSurveyorIsReplaced(t *testing.T) {
	var polled atomic.Pointer[time.Time] // by a worker with a smaller identity
	pollers := func() ([]*taskqueuepb.PollerInfo, error) {
		if at := polled.Load(); at != nil {
			return []*taskqueuepb.PollerInfo{poller("a@surveys", time.Since(*at))}, nil
		}
		return nil, nil
	}
	surveying(t, pollers, func(s *host.Surveyor, c *flaky) {
		time.Sleep(time.Minute) // of the bubble's time
		require.NotNil(t, s.Recent())
		now := time.Now()
		polled.Store(&now)
		time.Sleep(35 * time.Second)
		require.Nil(t, s.Recent(), "another worker surveys")
		asked := c.asked.Load()
		time.Sleep(85 * time.Second) // without another poll of that worker
		require.NotNil(t, s.Recent())
		require.Greater(t, c.asked.Load(), asked)
	})
}
