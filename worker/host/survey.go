package host

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"golang.org/x/time/rate"

	"segue/client"
	"segue/client/lanes"
	"segue/contract"
	"segue/metrics"
)

const (
	// surveyEvery is the shortest time between two surveys. After a long survey, the time is
	// surveyRest times its length: all clients share Temporal's visibility.
	surveyEvery = 30 * time.Second
	surveyRest  = 4
	// surveyPage is how many lanes are listed at once; the server returns at most that many.
	surveyPage = 1000
	// surveyPace is how many requests a process sends in a second, after a burst of five.
	surveyPace = 1
	// surveyWithin bounds one request.
	surveyWithin = 10 * time.Second
	// surveyOld is the age from which on a survey is no longer shown.
	surveyOld = 15 * time.Minute
	// pollLimit is the longest time between two polls of a worker; after that it is gone.
	pollLimit = 75 * time.Second
	// surveys is the end of the identity of workers that can survey; workers without metrics
	// poll, too, but do not survey.
	surveys = "@surveys"
)

// surveyorIdentity returns the SDK's default identity, marked as that of a process that can survey.
func surveyorIdentity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%d@%s%s", os.Getpid(), host, surveys)
}

// surveyor counts open lanes and interactions in Temporal's visibility. Scrapes read its
// last result. One worker of the task queue surveys: that with the smallest identity.
type surveyor struct {
	client    sdkclient.Client
	taskQueue string
	identity  string
	metrics   *metrics.Instruments
	log       *slog.Logger
	pace      *rate.Limiter
	last      atomic.Pointer[metrics.Survey]
}

func newSurveyor(o Options) *surveyor {
	return &surveyor{client: o.Client, taskQueue: o.TaskQueue, identity: surveyorIdentity(), metrics: o.instruments(), log: o.Log, pace: rate.NewLimiter(surveyPace, 5)}
}

// run surveys until the context ends. Processes that start together begin at different times.
func (s *surveyor) run(ctx context.Context) {
	wait := rand.N(surveyEvery / 30)
	for failing := false; ; {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if !s.isChosen(ctx) {
			s.last.Store(nil)
			failing, wait = false, surveyEvery+rand.N(surveyEvery/10)
			continue
		}
		began := time.Now()
		found, err := s.survey(ctx)
		if ctx.Err() != nil {
			return
		}
		s.metrics.Surveyed(err)
		if err == nil {
			s.last.Store(found)
		} else if !failing {
			s.log.Warn("cannot count lanes and interactions; their metrics are unchanged", "error", err)
		}
		failing = err != nil
		wait = max(surveyEvery, surveyRest*time.Since(began)) + rand.N(surveyEvery/10)
	}
}

// isChosen reports whether this process surveys: no worker with a smaller identity polls
// the task queue. If Temporal does not return the pollers, every process surveys.
func (s *surveyor) isChosen(ctx context.Context) bool {
	bounded, cancel := context.WithTimeout(ctx, surveyWithin)
	defer cancel()
	queue, err := s.client.DescribeTaskQueue(bounded, s.taskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		s.log.Debug("cannot list the workers of the task queue; this worker counts lanes and interactions", "error", err)
		return true
	}
	for _, poller := range queue.GetPollers() {
		other := poller.GetIdentity()
		if strings.HasSuffix(other, surveys) && other < s.identity && time.Since(poller.GetLastAccessTime().AsTime()) <= pollLimit {
			return false
		}
	}
	return true
}

// recent returns the last survey; nil if it is too old.
func (s *surveyor) recent() *metrics.Survey {
	last := s.last.Load()
	if last == nil || time.Since(last.At) > surveyOld {
		return nil
	}
	return last
}

func (s *surveyor) survey(ctx context.Context) (*metrics.Survey, error) {
	found := &metrics.Survey{At: time.Now(), Lanes: map[string]metrics.Lanes{}}
	if err := s.lanes(ctx, found); err != nil {
		return nil, fmt.Errorf("listing lanes: %w", err)
	}
	var err error
	if found.Interactions, err = s.count(ctx, ""); err != nil {
		return nil, fmt.Errorf("counting interactions: %w", err)
	}
	if found.Undelivered, err = s.count(ctx, " AND "+contract.AttributeUndelivered.GetName()+" > 0"); err != nil {
		return nil, fmt.Errorf("counting interactions: %w", err)
	}
	return found, nil
}

// lanes lists all open lanes: visibility cannot count them by call, and cannot sum.
func (s *surveyor) lanes(ctx context.Context, found *metrics.Survey) error {
	return lanes.Walk(ctx, s.list, s.open(contract.WorkflowDelivery), surveyPage, func(lane client.Listed) {
		sum := found.Lanes[lane.Call]
		sum.Add(lane.StartedAt, int(lane.Parked))
		found.Lanes[lane.Call] = sum
	})
}

// list lists one page, not more often than the pace allows.
func (s *surveyor) list(ctx context.Context, query string, size int, page []byte) (rows []client.Listed, next []byte, err error) {
	if err := s.pace.Wait(ctx); err != nil {
		return nil, nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, surveyWithin)
	defer cancel()
	answer, err := s.client.ListWorkflow(bounded, &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: int32(size), NextPageToken: page})
	for _, info := range answer.GetExecutions() {
		rows = append(rows, client.ListedOf(info))
	}
	return rows, answer.GetNextPageToken(), err
}

func (s *surveyor) count(ctx context.Context, further string) (int, error) {
	if err := s.pace.Wait(ctx); err != nil {
		return 0, err
	}
	bounded, cancel := context.WithTimeout(ctx, surveyWithin)
	defer cancel()
	counted, err := s.client.CountWorkflow(bounded, &workflowservice.CountWorkflowExecutionsRequest{Query: s.open(contract.WorkflowInteraction) + further})
	return int(counted.GetCount()), err
}

// open returns the query for the open workflows of a type on this task queue.
func (s *surveyor) open(workflowType string) string {
	return fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND TaskQueue = '%s'", workflowType, s.taskQueue)
}
