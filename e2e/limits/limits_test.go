package limits_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/client"
	"segue/contract"
)

func TestEveryRowAtItsBoundAndBeyondIt(t *testing.T) {
	onEveryStore(t, func(t *testing.T, e *env) {
		for name, row := range map[string]func(t *testing.T, e *env){
			"search attributes": searchAttributes, "agents": agents, "longer values": longerValues, "ids": ids, "event ids": eventIDs,
			"names of commands": commandNames, "drafts": drafts, "lanes, receivers and alerts": lanes, "summaries": summaries,
			"versions of workers": versions,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // each waits for lists most of the time
				row(t, e)
			})
		}
	})
}

// texts have at most 255 bytes, and characters that databases, JSON and the list language treat in their own way.
var texts = map[string]string{
	"plain": strings.Repeat("x", 255), "spaces": " a b  ", "four bytes a character": strings.Repeat("😀", 63),
	"escaped in JSON": strings.Repeat("<&>", 85), "quotes": strings.Repeat("a'b", 85), "separators": "\u2028\u00a0ß%_",
}

func searchAttributes(t *testing.T, e *env) {
	n := client.Name{ContactCenter: "attributes", ID: "i"}
	e.start(t, n, "")
	in := " AND " + client.Equals("SegueContactCenter", n.ContactCenter)
	for _, text := range texts {
		queue, err := json.Marshal(text)
		require.NoError(t, err)
		e.takes(t, n, "offer", `{"agent":"a1"}`)
		e.takes(t, n, "accept", `{"agent":"a1"}`)
		e.takes(t, n, "place_in_workbin", fmt.Sprintf(`{"workbin":%s}`, queue))
		e.finds(t, n.WorkflowID(), client.Equals("SegueWorkbin", text)+in)
		e.takes(t, n, "offer", `{"agent":"a1"}`)
		e.takes(t, n, "accept", `{"agent":"a1"}`)
		e.takes(t, n, "place_in_workbin", fmt.Sprintf(`{"workbin":{"name":%s,"owner":%q}}`, queue, strings.Repeat("o", 3000)))
		e.finds(t, n.WorkflowID(), client.Equals("SegueWorkbin", text)+in)
		e.takes(t, n, "offer", `{"agent":"a1"}`)
		e.takes(t, n, "accept", `{"agent":"a1"}`)
		e.takes(t, n, "place_in_queue", fmt.Sprintf(`{"queue":%s}`, queue))
		e.finds(t, n.WorkflowID(), client.Equals("SegueQueue", text)+in)
	}
	for _, length := range []int{256, 3000} {
		long, reason := strings.Repeat("x", length), fmt.Sprintf("has %d bytes; send at most 255", length)
		e.refuses(t, n, "place_in_queue", fmt.Sprintf(`{"queue":%q}`, long), reason)
		e.refuses(t, n, "place_in_workbin", fmt.Sprintf(`{"workbin":%q}`, long), reason)
		e.refuses(t, n, "place_in_workbin", fmt.Sprintf(`{"workbin":{"name":%q}}`, long), reason)
		e.refuses(t, n, "place_in_workbin", fmt.Sprintf(`{"workbin":{"workbinId":%q}}`, long), reason)
	}
	e.refuses(t, n, "place_in_workbin", `{"workbin":"a\u0000b"}`, "holds a NUL character")
	e.refuses(t, n, "place_in_queue", `{"queue":"a\u0001b"}`, "holds a control character")
}

// agents have ids of 256 bytes, more than a column holds. They wrap up, so that the summary of that timer names them.
func agents(t *testing.T, e *env) {
	for i, agent := range []string{strings.Repeat("a", 256), strings.Repeat("<", 256), strings.Repeat("😀", 64), "PJSIP/O'Neil+7009"} {
		n := client.Name{ContactCenter: "agents", ID: fmt.Sprint(i)}
		e.start(t, n, "")
		for _, command := range []string{"offer", "accept"} {
			e.takes(t, n, command, fmt.Sprintf(`{"agent":%q}`, agent))
		}
		e.finds(t, n.WorkflowID(), client.Equals("SegueAgent", agent))
		e.takes(t, n, "disconnect", `{}`)
		e.finds(t, n.WorkflowID(), client.Equals("SegueAgent", agent)+" AND SegueState = 'wrap_up'")
		long := strings.Repeat("a", 257)
		e.refuses(t, n, "complete", fmt.Sprintf(`{"agent":%q}`, long), "has 257 bytes; send at most 256")
		e.takes(t, n, "complete", `{"disposition":{"code":"SOLD"}}`)
	}
}

// longerValues are values that no payload may bring, but that a workflow may carry from an older version: their
// keywords are stored and found.
func longerValues(t *testing.T, e *env) {
	for i, text := range []string{strings.Repeat("😀", 3000), strings.Repeat("<", 3000), "a\x00b", "a\xffb", strings.Repeat("y", 256)} {
		id := fmt.Sprintf("longer-%d", i)
		_, err := e.Temporal.ExecuteWorkflow(t.Context(), sdkclient.StartWorkflowOptions{
			ID: id, TaskQueue: "nobody",
			TypedSearchAttributes: temporal.NewSearchAttributes(contract.AttributeWorkbin.ValueSet(contract.Keyword(text))),
		}, "Nothing")
		require.NoError(t, err)
		e.finds(t, id, client.Equals("SegueWorkbin", text))
	}
}

func ids(t *testing.T, e *env) {
	n := client.Name{ContactCenter: strings.Repeat("c", 114), ID: strings.Repeat("i", 128)}
	e.start(t, n, "")
	e.takes(t, n, "place_in_queue", `{"queue":"sales"}`)
	e.finds(t, n.WorkflowID(), client.Equals("SegueInteraction", n.ID)+" AND "+client.Equals("SegueContactCenter", n.ContactCenter))
	e.takes(t, n, "abandon", `{}`)

	n.ContactCenter += "c"
	require.ErrorContains(t, n.Check(), "have 243 bytes together; keep both together within 242")
	_, err := e.Temporal.ExecuteWorkflow(t.Context(), sdkclient.StartWorkflowOptions{ID: n.WorkflowID(), TaskQueue: taskQueue}, contract.WorkflowInteraction, startOf(n, ""))
	var invalid *serviceerror.InvalidArgument
	require.ErrorAs(t, err, &invalid, "the server says no, instead of a database that never does")

	// A workflow id that fits, with a start that names another: the interaction reports what is wrong.
	run, err := e.Temporal.ExecuteWorkflow(t.Context(), sdkclient.StartWorkflowOptions{
		ID: contract.InteractionWorkflowID("c", "i"), TaskQueue: taskQueue,
	}, contract.WorkflowInteraction, startOf(n, ""))
	require.NoError(t, err)
	require.ErrorContains(t, run.Get(t.Context(), nil), "has 243 bytes together with contact_center")
}

func eventIDs(t *testing.T, e *env) {
	n := client.Name{ContactCenter: "events", ID: "i"}
	e.start(t, n, "")
	for _, id := range []string{strings.Repeat("e", 255), strings.Repeat("ü", 127), strings.Repeat("<", 255)} {
		payload := fmt.Appendf(nil, `{"event_id":%q,"user_data":{"k":1}}`, id)
		_, err := e.Update(t.Context(), n, "attach_user_data", id, payload)
		require.NoError(t, err)
		again, err := e.Update(t.Context(), n, "attach_user_data", "", payload)
		require.NoError(t, err)
		require.True(t, again.Duplicate)
	}
	long := strings.Repeat("e", 256)
	_, err := e.Update(t.Context(), n, "offer", long, fmt.Appendf(nil, `{"event_id":%q,"agent":"a1"}`, long))
	var refused *client.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Message, "event_id")
	require.Contains(t, refused.Message, "has 256 bytes; send at most 255")
	e.refuses(t, n, "offer", fmt.Sprintf(`{"event_id":%q,"agent":"a1"}`, long), "send at most 255")
}

func commandNames(t *testing.T, e *env) {
	n := client.Name{ContactCenter: "commands", ID: "i"}
	e.start(t, n, "")
	require.NoError(t, e.Signal(t.Context(), n, strings.Repeat("n", 255), json.RawMessage(`{}`)))
	require.Eventually(t, func() bool {
		rejected, err := e.Rejected(t.Context(), n)
		return err == nil && len(rejected) == 1
	}, patience, pollEvery)
	var invalid *serviceerror.InvalidArgument
	require.ErrorAs(t, e.Signal(t.Context(), n, strings.Repeat("n", 256), json.RawMessage(`{}`)), &invalid)
	e.isRunning(t, n.WorkflowID())
}

func drafts(t *testing.T, e *env) {
	n := client.Name{ContactCenter: strings.Repeat("d", 114), ID: strings.Repeat("i", 128)}
	e.start(t, n, "")
	e.takes(t, n, "offer", `{"agent":"a1"}`)
	e.takes(t, n, "accept", `{"agent":"a1"}`)
	for range 2 {
		e.takes(t, n, "reply", `{}`)
	}
	state, err := e.State(t.Context(), n)
	require.NoError(t, err)
	require.Len(t, state.Children, 2)
	for _, id := range state.Children {
		draft := client.Name{ContactCenter: n.ContactCenter, ID: id}
		e.finds(t, draft.WorkflowID(), client.Equals("SegueInteraction", id)+" AND SegueState = 'composing'")
	}
}

func lanes(t *testing.T, e *env) {
	n := client.Name{ContactCenter: strings.Repeat("l", 128), ID: strings.Repeat("i", 114)}
	e.start(t, n, "")
	e.takes(t, n, "dtmf", `{"digits":"1"}`)
	owner := contract.Owner{ContactCenter: n.ContactCenter, Interaction: n.ID}
	ofCall := client.Equals("SegueCall", gone)
	e.finds(t, contract.DeliveryWorkflowID(owner, gone), "WorkflowType = 'Delivery' AND SegueParked > 0 AND "+ofCall)
	e.finds(t, contract.ReceiverWorkflowID(taskQueue, gone), "WorkflowType = 'Receiver' AND "+ofCall)
	alerts := contract.Owner{Receiver: contract.ReceiverName(taskQueue, gone)}
	e.finds(t, contract.DeliveryWorkflowID(alerts, pager), "WorkflowType = 'Delivery' AND "+client.Equals("SegueCall", pager))
	for _, id := range []string{contract.DeliveryWorkflowID(owner, gone), contract.ReceiverWorkflowID(taskQueue, gone), contract.DeliveryWorkflowID(alerts, pager)} {
		require.LessOrEqual(t, len(id), 255)
		e.isRunning(t, id)
	}
	records, err := e.LaneDeliveries(t.Context(), client.LaneOf(n, gone))
	require.NoError(t, err)
	require.Len(t, records, 1)
}

func summaries(t *testing.T, e *env) {
	n := client.Name{ContactCenter: "summaries", ID: "i"}
	start := fmt.Appendf(nil, `{"id":"i","contact_center":"summaries","channel":%q}`, strings.Repeat("<", 3000))
	_, err := e.Start(t.Context(), n, start, false)
	require.NoError(t, err)
	err = e.Temporal.GetWorkflow(t.Context(), n.WorkflowID(), "").Get(t.Context(), nil)
	require.ErrorContains(t, err, `channel: "`)
	require.ErrorContains(t, err, "not known; use one of inbound")
}

// versions tests a deployment and a build id as long as a configuration may have them.
func versions(t *testing.T, e *env) {
	version := sdkworker.WorkerDeploymentVersion{DeploymentName: strings.Repeat("d", 64), BuildID: strings.Repeat("b", 100)}
	w := sdkworker.New(e.Temporal, "versioned", sdkworker.Options{DeploymentOptions: sdkworker.DeploymentOptions{
		UseVersioning: true, Version: version, DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	}})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) error { return workflow.Sleep(ctx, time.Hour) }, workflow.RegisterOptions{Name: "Nothing"})
	require.NoError(t, w.Start())
	defer w.Stop()
	deployment := e.Temporal.WorkerDeploymentClient().GetHandle(version.DeploymentName)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		// The SDK repeats a question about an unknown version until the context ends.
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := deployment.DescribeVersion(ctx, sdkclient.WorkerDeploymentDescribeVersionOptions{BuildID: version.BuildID})
		assert.NoError(c, err)
	}, 2*time.Minute, pollEvery)
	_, err := deployment.SetCurrentVersion(t.Context(), sdkclient.WorkerDeploymentSetCurrentVersionOptions{BuildID: version.BuildID})
	require.NoError(t, err)
	_, err = e.Temporal.ExecuteWorkflow(t.Context(), sdkclient.StartWorkflowOptions{ID: "of-a-version", TaskQueue: "versioned"}, "Nothing")
	require.NoError(t, err)
	e.finds(t, "of-a-version", fmt.Sprintf("TemporalWorkerDeploymentVersion = '%s:%s'", version.DeploymentName, version.BuildID))
}
