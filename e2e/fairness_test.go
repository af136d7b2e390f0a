package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"segue/client"
	"segue/contract"
	"segue/interaction"
)

// queueUp starts interactions while no worker runs, those of one name after the
// other: n of each, whose ids begin with it.
func (e *env) queueUp(c *client.Client, names []string, n int, start func(name, id string) (contactCenter, fields string)) {
	e.t.Helper()
	for _, name := range names {
		var senders errgroup.Group
		senders.SetLimit(16)
		for i := range n {
			id := fmt.Sprintf("%s-%d", name, i)
			contactCenter, fields := start(name, id)
			senders.Go(func() error {
				_, err := c.Start(e.t.Context(), client.Name{ContactCenter: contactCenter, ID: id}, []byte(fields), false)
				return err
			})
		}
		require.NoError(e.t, senders.Wait())
	}
}

// places says where in the order of arrival the requests of a name are.
func places(arrivals []arrival, name string) (list []int) {
	for i, a := range arrivals {
		if strings.Contains(a.Body, `"id":"`+name+"-") {
			list = append(list, i)
		}
	}
	return list
}

// A contact center floods the workers; another one that comes later gets its turns
// all the same, as workflows and, with a receiver that is not sent to inline, as
// activities.
func TestAFloodDoesNotStarveAnotherContactCenter(t *testing.T) {
	t.Parallel()
	const flood, late = 400, 20
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	c := &client.Client{Temporal: e.client, TaskQueue: e.name}
	start := func(name, id string) (string, string) {
		contactCenter := e.name + "-" + name
		return contactCenter, fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":"inbound"}`, id, contactCenter)
	}
	e.queueUp(c, []string{"flood"}, flood, start)
	e.queueUp(c, []string{"late"}, late, start)
	e.startWorker(strings.Replace(probeConfig(crm.URL, "interaction_starts"), "method: POST", "method: POST\n    idempotent: false", 1))
	e.eventually(2*time.Minute, "all arrive", func() bool { return len(crm.seen()) >= flood+late })
	at := places(crm.seen(), "late")
	require.Len(t, at, late)
	t.Logf("of %d, those that came last arrived at %v", flood+late, at)
	// In turns they would be among the first 40; a worker takes 200 tasks at once, whose
	// order is anybody's. Without fairness they are the last ones.
	require.Less(t, at[late/2], 130)
	require.Less(t, at[late-1], 260)
}

// What the configuration calls urgent goes first, whenever it came.
func TestUrgentInteractionsGoFirst(t *testing.T) {
	t.Parallel()
	const n = 200
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	c := &client.Client{Temporal: e.client, TaskQueue: e.name, Priority: func(s interaction.Start) contract.Priority {
		return contract.Priority{Key: map[interaction.Channel]int{interaction.ChannelEmail: 5, interaction.ChannelInbound: 1}[s.Channel]}
	}}
	e.queueUp(c, []string{"email", "inbound"}, n, func(name, id string) (string, string) {
		return e.name, fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":%q}`, id, e.name, name)
	})
	e.startWorker(probeConfig(crm.URL, "interaction_starts"))
	e.eventually(2*time.Minute, "all arrive", func() bool { return len(crm.seen()) >= 2*n })
	arrivals := crm.seen()
	urgent, other := places(arrivals, "inbound"), places(arrivals, "email")
	require.Len(t, urgent, n)
	require.Len(t, other, n)
	t.Logf("half of the urgent ones arrived by place %d, half of the others by %d", urgent[n/2], other[n/2])
	require.Less(t, urgent[n/2], other[n/2])
	first := arrivals[:n]
	urgentFirst := len(slices.DeleteFunc(slices.Clone(urgent), func(place int) bool { return place >= len(first) }))
	require.Greater(t, urgentFirst, n*2/3, "of the first %d", n)
}
