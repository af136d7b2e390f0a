package activities_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"segue/dispatch"
)

func TestHandOverAppendsInChunks(t *testing.T) {
	d := newDesk(t)
	d.expectAppend("crm", nil).Times(3)
	in := dispatch.HandOver{Owner: owner, Call: "crm", Failed: &dispatch.Outcome{ID: "1", Class: "http_5xx"}}
	for i := range 5 {
		in.Requests = append(in.Requests, dispatch.Request{ID: fmt.Sprint(i + 1), Body: strings.Repeat("x", 100<<10)})
	}
	_, err := d.ExecuteActivity(dispatch.ActivityHandOver, in)
	require.NoError(t, err)

	var ids []string
	for i, call := range d.temporal.Calls {
		appended := call.Arguments.Get(3).(dispatch.HandOver)
		size := 0
		for _, request := range appended.Requests {
			ids = append(ids, request.ID)
			size += request.Size()
		}
		assert.LessOrEqual(t, size, 256<<10)
		assert.Equal(t, owner, appended.Owner)
		assert.Equal(t, i == 0, appended.Failed != nil, "the failure is the first request's")
	}
	assert.Equal(t, []string{"1", "2", "3", "4", "5"}, ids)

	options := d.temporal.Calls[0].Arguments.Get(4).(client.StartWorkflowOptions)
	assert.Equal(t, "delivery/default/i-1/crm", options.ID)
	assert.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, options.WorkflowIDReusePolicy)
	assert.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, options.WorkflowIDConflictPolicy)
	assert.Equal(t, "crm for i-1", options.StaticSummary)
	assert.NotEmpty(t, options.TaskQueue)
	for name, value := range map[string]string{"SegueCall": "crm", "SegueInteraction": "i-1", "SegueContactCenter": "default"} {
		got, ok := options.TypedSearchAttributes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(name))
		assert.True(t, ok)
		assert.Equal(t, value, got)
	}
}

func TestHandOverOfOneLargeRequest(t *testing.T) {
	d := newDesk(t)
	d.expectAppend("crm", nil).Once()
	_, err := d.ExecuteActivity(dispatch.ActivityHandOver, dispatch.HandOver{
		Owner: owner, Call: "crm", Requests: []dispatch.Request{{ID: "1", Body: strings.Repeat("x", 300<<10)}},
	})
	require.NoError(t, err)
}

func TestHandOverFailsWithTheServer(t *testing.T) {
	d := newDesk(t)
	d.TaskQueue = "deliveries"
	d.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything,
		mock.MatchedBy(func(o client.StartWorkflowOptions) bool {
			return o.TaskQueue == "deliveries" && len(o.StaticSummary) <= 400 && o.Priority.PriorityKey == 4 && len(o.Priority.FairnessKey) == 64
		}),
		mock.Anything, mock.Anything).Return(nil, errors.New("unavailable")).Once()
	_, err := d.ExecuteActivity(dispatch.ActivityHandOver, dispatch.HandOver{
		Owner: dispatch.Owner{ContactCenter: strings.Repeat("c", 100), Interaction: strings.Repeat("ä", 150)}, Call: "crm",
		Requests: []dispatch.Request{{ID: "1"}, {ID: "2"}},
	})
	assert.ErrorContains(t, err, "appending 2 requests")
}

// People are to hear of a receiver that fails before what waits for it is tried again.
func TestAlertsDoNotGoBehindWhatTheyTellOf(t *testing.T) {
	for receiver, key := range map[string]int{"": 3, "segue/crm": 2} {
		d := newDesk(t)
		d.temporal.On("SignalWithStartWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything,
			mock.MatchedBy(func(o client.StartWorkflowOptions) bool { return o.Priority.PriorityKey == key }),
			mock.Anything, mock.Anything).Return(nil, nil).Once()
		_, err := d.ExecuteActivity(dispatch.ActivityHandOver, dispatch.HandOver{
			Owner: dispatch.Owner{ContactCenter: "cc", Interaction: "i-1", Receiver: receiver}, Call: "pager",
			Requests: []dispatch.Request{{ID: "1"}}, Priority: dispatch.Priority{Key: 2},
		})
		require.NoError(t, err, receiver)
	}
}
