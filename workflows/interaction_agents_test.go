package workflows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
	"segue/interaction"
)

// onUpsert calls written with the state that each write of search attributes leaves in lists.
func onUpsert(e *env, written func(state string)) {
	last := ""
	e.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
		if state, ok := args.Get(0).(temporal.SearchAttributes).GetKeyword(contract.AttributeState); ok {
			last = state
		}
		written(last)
	}).Return(nil).Maybe()
}

// agentsWritten records the values of SegueAgents, in order.
func agentsWritten(e *env) *[][]string {
	written := &[][]string{}
	e.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
		if agents, ok := args.Get(0).(temporal.SearchAttributes).GetKeywordList(contract.AttributeAgents); ok {
			*written = append(*written, agents)
		}
	}).Return(nil).Maybe()
	return written
}

func TestAllParticipantsAreInTheSearchAttributeTheOwnerFirst(t *testing.T) {
	e := newEnv(t)
	written := agentsWritten(e)
	e.signals(time.Minute, [2]string{"offer", `{"agent":"ann"}`}, [2]string{"accept", `{"agent":"ann"}`})
	e.signals(2*time.Minute, [2]string{"transfer", `{"to":{"agent":"bea"}}`})
	e.signals(3*time.Minute, [2]string{"consult", `{"to":{"agent":"PJSIP/7009"}}`})
	e.signals(4*time.Minute, [2]string{"disconnect", `{}`})
	e.start(startInbound)
	require.Equal(t, [][]string{{"ann"}, {"bea", "ann"}, {"bea", "PJSIP/7009", "ann"}}, (*written)[:3])
}

// Servers fail a task that writes more than 2 KiB.
func TestTheListOfAgentsIsBounded(t *testing.T) {
	e := newEnv(t)
	written := agentsWritten(e)
	var agents []string
	for i := range 20 {
		agents = append(agents, fmt.Sprintf("%q", fmt.Sprint(i)+strings.Repeat("<", 60)))
	}
	e.signals(time.Minute, [2]string{"offer", `{"agents":[` + strings.Join(agents, ",") + `]}`})
	e.signals(2*time.Minute, [2]string{"abandon", `{}`})
	e.start(startInbound)
	encoded, err := json.Marshal((*written)[0])
	require.NoError(t, err)
	require.LessOrEqual(t, len(encoded), 1536)
	require.Len(t, (*written)[0], 4, "each takes 363 bytes and a comma")
}

// An interaction that starts with an agent, such as a draft, begins with the attributes of the
// agent, and so the workflow does not write any until something changes.
func TestTheAttributesOfAStartAreNotWrittenAgain(t *testing.T) {
	const start = `{"id":"i-1","contact_center":"cc","channel":"email","draft":true,"agent":"ann"}`
	decoded, err := interaction.DecodeStart([]byte(start))
	require.NoError(t, err)
	e := newEnv(t)
	require.NoError(t, e.SetTypedSearchAttributesOnStart(contract.StartAttributes(decoded)))
	var writes []string
	onUpsert(e, func(state string) { writes = append(writes, state) })
	e.signals(time.Minute, [2]string{"cancel", `{}`})
	e.start(start)
	require.Equal(t, []string{"completed"}, writes)
}
