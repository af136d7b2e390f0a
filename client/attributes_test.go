package client_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"

	"segue/client"
	"segue/contract"
)

// startedWith returns the options with which Start starts an interaction.
func startedWith(t *testing.T, start string) sdkclient.StartWorkflowOptions {
	t.Helper()
	server := mocks.NewClient(t)
	var options sdkclient.StartWorkflowOptions
	run := mocks.NewWorkflowRun(t)
	run.On("GetRunID").Return("r1")
	server.On("ExecuteWorkflow", mock.Anything, mock.Anything, contract.WorkflowInteraction, mock.Anything).
		Run(func(args mock.Arguments) { options = args.Get(1).(sdkclient.StartWorkflowOptions) }).Return(run, nil)
	c := &client.Client{Temporal: server, TaskQueue: "segue"}
	_, err := c.Start(t.Context(), client.Name{ContactCenter: "cc", ID: "i1"}, json.RawMessage(start), false)
	require.NoError(t, err)
	return options
}

// The workflow writes the search attributes that the start did not give, one more event.
func TestAStartGivesTheSearchAttributes(t *testing.T) {
	for name, c := range map[string]struct {
		start string
		state string
		queue string
		agent string
	}{
		"an interaction": {`{"id":"i1","contact_center":"cc","channel":"inbound","queue":"sales"}`, "started", "sales", ""},
		"a draft":        {`{"id":"i1","contact_center":"cc","channel":"email","draft":true,"agent":"ada"}`, "composing", "", "ada"},
		"for an agent":   {`{"id":"i1","contact_center":"cc","channel":"outbound","agent":{"id":"ada","name":"Ada"}}`, "started", "", "ada"},
	} {
		t.Run(name, func(t *testing.T) {
			given := startedWith(t, c.start).TypedSearchAttributes
			state, _ := given.GetKeyword(contract.AttributeState)
			queue, _ := given.GetKeyword(contract.AttributeQueue)
			id, _ := given.GetKeyword(contract.AttributeInteraction)
			center, _ := given.GetKeyword(contract.AttributeContactCenter)
			agent, _ := given.GetKeyword(contract.AttributeAgent)
			agents, _ := given.GetKeywordList(contract.AttributeAgents)
			require.Equal(t, []string{c.state, c.queue, "i1", "cc", c.agent}, []string{state, queue, id, center, agent})
			require.Equal(t, c.agent, strings.Join(agents, " "))
		})
	}
}

// The interaction refuses a malformed start, with the reason.
func TestAMalformedStartGivesNone(t *testing.T) {
	require.Equal(t, temporal.SearchAttributes{}, startedWith(t, `{"channel":7}`).TypedSearchAttributes)
}

func TestAMissingSearchAttributeIsReportedWithARemedy(t *testing.T) {
	server := mocks.NewClient(t)
	server.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).
		Return(nil, serviceerror.NewInvalidArgument("Namespace default has no mapping defined for search attribute SegueState"))
	c := &client.Client{Temporal: server, TaskQueue: "segue"}
	start := json.RawMessage(`{"id":"i1","contact_center":"cc","channel":"inbound"}`)
	_, err := c.Start(t.Context(), client.Name{ContactCenter: "cc", ID: "i1"}, start, false)
	require.ErrorContains(t, err, "segue setup")
}
