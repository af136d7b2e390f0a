package client_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	sdkclient "go.temporal.io/sdk/client"

	"segue/client"
	"segue/contract"
)

func scheduled(id int64, activity string, input *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id, Attributes: &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{
		ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
			ActivityType: &commonpb.ActivityType{Name: activity}, Input: input,
		},
	}}
}

func completed(of int64, result *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{
		ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{ScheduledEventId: of, Result: result},
	}}
}

func marker(t *testing.T, result *commonpb.Payloads) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_MarkerRecordedEventAttributes{
		MarkerRecordedEventAttributes: &historypb.MarkerRecordedEventAttributes{
			MarkerName: "LocalActivity", Details: map[string]*commonpb.Payloads{"data": payloads(t, `{}`), "result": result},
		},
	}}
}

func requestOf(id, body string) contract.Request {
	return contract.Request{ID: id, Call: "crm", Method: "POST", URL: "http://crm/x?token=t-1&id=1", Body: body, Headers: []contract.Header{
		{Name: "X-Attempt", Attempt: true}, {Name: "X-Api-Key", Value: "k-1"},
	}}
}

func outcomeOf(id string, code int, excerpt string) contract.Outcome {
	return contract.Outcome{ID: id, Code: code, Class: "http_5xx", Excerpt: excerpt, MS: 3, At: time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)}
}

// keptRuns is a Temporal that has deleted all other runs.
type keptRuns struct{ histories }

func (k *keptRuns) GetWorkflowHistory(ctx context.Context, id, runID string, wait bool, filter enumspb.HistoryEventFilterType) sdkclient.HistoryEventIterator {
	if k.runs[runID] == nil {
		return &iterator{err: serviceerror.NewNotFound("no such run")}
	}
	return k.histories.GetWorkflowHistory(ctx, id, runID, wait, filter)
}

// laneWith reads the exchanges of one run of a lane.
func laneWith(t *testing.T, runs map[string][]*historypb.HistoryEvent) map[string]client.Exchange {
	t.Helper()
	c := &client.Client{Temporal: &keptRuns{histories{runs: runs}}}
	found, err := c.LaneExchanges(t.Context(), client.LaneOf(client.Name{ContactCenter: "cc", ID: "c1"}, "crm"))
	require.NoError(t, err)
	return found
}

func TestTheLastAttemptOfADeliveryIsRead(t *testing.T) {
	attempt := func(number int, body string) *commonpb.Payloads {
		return payloads(t, contract.AttemptInput{Call: "crm", Number: number, Requests: []contract.Request{requestOf("d1", body)}})
	}
	result := func(code int, excerpt string) *commonpb.Payloads {
		return payloads(t, contract.AttemptResult{Outcomes: []contract.Outcome{outcomeOf("d1", code, excerpt)}})
	}
	failed := outcomeOf("d1", 502, "first")
	found := laneWith(t, map[string][]*historypb.HistoryEvent{"": {
		started("", payloads(t, `{}`)),
		signaled("append", payloads(t, contract.HandOver{Failed: &failed, Requests: []contract.Request{requestOf("d1", "old"), requestOf("d2", "waits")}})),
		scheduled(5, "Render", payloads(t, `{}`)), completed(5, payloads(t, requestOf("d1", "new"))),
		scheduled(7, "Attempt", attempt(2, "new")), completed(7, result(503, "down")),
		scheduled(9, "Attempt", attempt(3, "new")),
	}})
	require.Len(t, found, 2)
	require.Equal(t, "new", found["d1"].Request.Body)
	require.Equal(t, 3, found["d1"].Attempt, "it is in flight")
	require.Equal(t, 503, found["d1"].Outcome.Code)
	require.Equal(t, "waits", found["d2"].Request.Body)
	require.Nil(t, found["d2"].Outcome)
}

func TestARequestIsReadFromADispatchOnlyIfItWaits(t *testing.T) {
	inline, waits := outcomeOf("d1", 200, ""), requestOf("d2", "body")
	found := laneWith(t, map[string][]*historypb.HistoryEvent{"": {
		started("", payloads(t, `{}`)),
		marker(t, payloads(t, contract.DispatchResult{Deliveries: []contract.Delivery{
			{ID: "d1", Status: contract.StatusDelivered, Outcome: &inline}, {ID: "d2", Status: contract.StatusWaiting, Request: &waits},
		}})),
	}})
	require.Nil(t, found["d1"].Request)
	require.Equal(t, "body", found["d2"].Request.Body)
	require.Equal(t, client.SentInline, found["d1"].Shown(contract.DeliveryRecord{}, 0).NotKept)
	require.Empty(t, found["d2"].Shown(contract.DeliveryRecord{}, 0).NotKept)
	require.NotEmpty(t, found["none"].Shown(contract.DeliveryRecord{}, 0).NotKept)
	require.NotEqual(t, client.SentInline, found["none"].Shown(contract.DeliveryRecord{}, 0).NotKept)
}

// Temporal deletes the runs of a long chain one by one.
func TestTheRequestsOfADeletedRunAreReadFromTheNextOne(t *testing.T) {
	type item struct {
		Request contract.Request `json:"request"`
		Tries   int              `json:"tries"`
	}
	settled := contract.Request{ID: "d0", Method: "POST", URL: "http://crm/x"}
	carried := map[string]any{"items": []item{{settled, 1}, {requestOf("d1", "carried"), 4}}}
	runs := map[string][]*historypb.HistoryEvent{"": {started("deleted", payloads(t, `{}`, carried))}}
	found := laneWith(t, runs)
	require.Equal(t, "carried", found["d1"].Request.Body)
	require.Equal(t, 4, found["d1"].Attempt)
	require.NotContains(t, found, "d0", "a settled delivery has no bytes left")

	runs["deleted"] = []*historypb.HistoryEvent{started("", payloads(t, `{}`)),
		signaled("append", payloads(t, contract.HandOver{Requests: []contract.Request{requestOf("d0", "first")}}))}
	require.Equal(t, "first", laneWith(t, runs)["d0"].Request.Body)
}

func TestAShownRequestHasNoCredentialAndABoundedBody(t *testing.T) {
	request, outcome := requestOf("d1", strings.Repeat("ä", 500)), outcomeOf("d1", 503, "down")
	record := contract.DeliveryRecord{ID: "d1", At: "2026-01-31T08:00:00Z", Answer: "down", Attempts: []contract.AttemptRecord{{Code: 503}}}
	shown := client.Exchange{Request: &request, Attempt: 2, Outcome: &outcome}.Shown(record, 101)
	require.Equal(t, "http://crm/x?token=***&id=1", shown.Request.URL)
	require.Equal(t, []contract.SentHeader{{Name: "X-Attempt", Value: "2"}, {Name: "X-Api-Key", Value: "***"}}, shown.Request.Headers)
	require.Equal(t, strings.Repeat("ä", 50), shown.Request.Body)
	require.Equal(t, 1000, shown.Request.BodyBytes)
	require.Equal(t, &contract.SentResponse{At: "2026-01-31T08:00:00Z", MS: 3, Code: 503, Class: "http_5xx", Excerpt: "down"}, shown.Response)
	require.Len(t, client.Exchange{Request: &request}.Shown(record, 0).Request.Body, 1000)
	require.Equal(t, "k-1", request.Headers[1].Value, "the request itself stays as it is")
}

// The attempts of a part of a lane are in the part's own history.
func TestALaterAttemptOfAPartIsShownFromItsRecord(t *testing.T) {
	request, outcome := requestOf("d1", "body"), outcomeOf("d1", 503, "down")
	record := contract.DeliveryRecord{ID: "d1", At: "2026-01-31T09:00:00Z", Code: 410, Class: "gone", Why: "HTTP 410 Gone", Answer: "closed",
		Attempts: []contract.AttemptRecord{{Code: 410, Class: "gone", MS: 7, At: "2026-01-31T09:00:00Z"}}}
	shown := client.Exchange{Request: &request, Attempt: 1, Outcome: &outcome}.Shown(record, 0)
	require.Equal(t, &contract.SentResponse{At: "2026-01-31T09:00:00Z", MS: 7, Code: 410, Class: "gone", Why: "HTTP 410 Gone", Excerpt: "closed"}, shown.Response)
}
