package presence_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"segue/bus"
	"segue/gateway/presence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

func embed(t *testing.T, o bus.ServerOptions) *bus.Server {
	t.Helper()
	s, err := bus.Embed(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func connect(t *testing.T, o bus.Options) *bus.Conn {
	t.Helper()
	o.Creates = true
	c, err := bus.Connect(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// replica is a presence that runs, and the changes that its watcher got.
type replica struct {
	*presence.Presence
	mu   sync.Mutex
	told [][2]presence.Agent
}

func run(t *testing.T, c *bus.Conn) *replica {
	t.Helper()
	return runWith(t, presence.Options{Bus: c})
}

func runWith(t *testing.T, o presence.Options) *replica {
	t.Helper()
	r := &replica{Presence: presence.New(o)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	stop := r.Watch(func(before, after presence.Agent) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told = append(r.told, [2]presence.Agent{before, after})
	})
	t.Cleanup(stop)
	return r
}

// Update is for a change that is not refused.
func (r *replica) Update(ctx context.Context, contactCenter, agent string, change func(*presence.Agent)) (presence.Agent, error) {
	return r.Presence.Update(ctx, contactCenter, agent, func(a *presence.Agent) error { change(a); return nil })
}

// until waits until the bus takes a change.
func (r *replica) until(t *testing.T, agent string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := r.Update(t.Context(), "acme", agent, func(*presence.Agent) {})
		return err == nil
	}, patience, 10*time.Millisecond)
}

func (r *replica) has(t *testing.T, agent, state string) {
	t.Helper()
	require.Eventually(t, func() bool { return r.Get("acme", agent).State == state }, patience, 5*time.Millisecond, "%s is not %s", agent, state)
}

// states returns the changes of an agent that the watcher got: the states before and after.
func (r *replica) states(agent string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, told := range r.told {
		if told[1].ID == agent {
			list = append(list, told[0].State+" "+told[1].State)
		}
	}
	return list
}

func logIn(names ...string) func(*presence.Agent) {
	return func(a *presence.Agent) {
		for _, name := range names {
			a.Channels = append(a.Channels, presence.Channel{Name: name, State: presence.NotReady})
		}
		a.Concerns, a.Reference = names, `"r-1"`
	}
}

func set(state string) func(*presence.Agent) {
	return func(a *presence.Agent) {
		for i := range a.Channels {
			a.Channels[i].State = state
			a.Concerns = append(a.Concerns, a.Channels[i].Name)
		}
	}
}

func logOut(a *presence.Agent) { a.Channels = nil }

// TestTheAgentsOfAContactCenterAreBounded: one contact center must not fill the bus for all.
func TestTheAgentsOfAContactCenterAreBounded(t *testing.T) {
	c := connect(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	few := runWith(t, presence.Options{Bus: c, MaxAgents: 3})
	few.until(t, "ann-0")
	for i := range 3 {
		_, err := few.Update(t.Context(), "acme", fmt.Sprint("ann-", i), logIn("voice"))
		require.NoError(t, err)
	}
	_, err := few.Update(t.Context(), "acme", "ann-3", logIn("voice"))
	require.ErrorIs(t, err, presence.ErrFull)
	_, err = few.Update(t.Context(), "other", "ann-3", logIn("voice"))
	require.NoError(t, err, "another contact center")
	for _, change := range []func(*presence.Agent){set(presence.Ready), logOut, logIn("chat")} {
		_, err = few.Update(t.Context(), "acme", "ann-2", change)
		require.NoError(t, err, "one of those")
	}
	late := runWith(t, presence.Options{Bus: c, MaxAgents: 3})
	late.has(t, "ann-2", presence.NotReady)
	_, err = late.Update(t.Context(), "acme", "ann-4", logIn("voice"))
	require.ErrorIs(t, err, presence.ErrFull, "also of a replica that has just begun")
}

func TestAReplicaHasItsOwnChangesAndOthersSoon(t *testing.T) {
	server := embed(t, bus.ServerOptions{})
	one, two := run(t, connect(t, bus.Options{Server: server})), run(t, connect(t, bus.Options{Server: server}))
	one.until(t, "warm")
	two.until(t, "warm")

	for i := range 20 {
		ann := fmt.Sprint("ann-", i)
		after, err := one.Update(t.Context(), "acme", ann, logIn("voice", "chat"))
		require.NoError(t, err)
		require.Equal(t, presence.NotReady, after.State)
		require.Equal(t, after, one.Get("acme", ann))
		require.Equal(t, after, two.Read(t.Context(), "acme", ann), "another replica, asked at once")
		two.has(t, ann, presence.NotReady)
		require.Equal(t, after, two.Get("acme", ann))
	}
	require.Len(t, two.List("acme"), 20)
	require.Empty(t, two.List("other"))
	require.Equal(t, presence.LoggedOut, two.Get("other", "ann-1").State)

	_, err := two.Update(t.Context(), "acme", "ann-1", set(presence.Ready))
	require.NoError(t, err)
	_, err = two.Update(t.Context(), "acme", "ann-1", logOut)
	require.NoError(t, err)
	one.has(t, "ann-1", presence.LoggedOut)
	require.Len(t, one.List("acme"), 19)
	require.Equal(t, []string{"LoggedOut NotReady", "NotReady Ready", "Ready LoggedOut"}, one.states("ann-1"))
}

func TestReplicasDoNotOverwriteEachOther(t *testing.T) {
	server := embed(t, bus.ServerOptions{})
	one, two := run(t, connect(t, bus.Options{Server: server})), run(t, connect(t, bus.Options{Server: server}))
	one.until(t, "ann")
	two.until(t, "ann")
	const each = 8
	var all sync.WaitGroup
	failed := make(chan error, 2*each)
	for _, r := range []*replica{one, two} {
		all.Go(func() {
			for range each {
				_, err := r.Update(t.Context(), "acme", "ann", func(a *presence.Agent) { a.Place += "x" })
				if err != nil {
					failed <- err
				}
			}
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	want := strings.Repeat("x", 2*each)
	require.Equal(t, want, one.Read(t.Context(), "acme", "ann").Place)
	require.Eventually(t, func() bool {
		return one.Get("acme", "ann").Place == want && two.Get("acme", "ann").Place == want
	}, patience, 5*time.Millisecond)
}

func TestAnyIDIsAKey(t *testing.T) {
	c := connect(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	r := run(t, c)
	r.until(t, "warm")
	ids := []string{
		"a", ".", "..", "*", ">", "a.b", "a b", "%", "%2E", "a/b", "ann@example.com", "é", "\x00", "\xff\xfe", "\n", "=", "$", strings.Repeat("ü", 128),
		strings.Repeat("\xff", 256), strings.Repeat(".", 256),
	}
	for i, contactCenter := range ids {
		for _, id := range ids {
			place := fmt.Sprint(i, "-", len(id))
			after, err := r.Update(t.Context(), contactCenter, id, func(a *presence.Agent) { logIn("chat")(a); a.Place = place })
			require.NoError(t, err, "%q %q", contactCenter, id)
			require.Equal(t, id, after.ID)
			got := r.Get(contactCenter, id)
			require.Equal(t, after, got)
		}
		require.Len(t, r.List(contactCenter), len(ids))
	}
	_, err := r.Update(t.Context(), "acme", "", logIn("chat"))
	require.Error(t, err)

	again := run(t, c)
	require.Eventually(t, func() bool { return len(again.List(ids[len(ids)-1])) == len(ids) }, patience, 5*time.Millisecond)
	for i, contactCenter := range ids {
		for _, id := range ids {
			require.Equal(t, fmt.Sprint(i, "-", len(id)), again.Get(contactCenter, id).Place)
		}
	}
	require.Empty(t, again.told, "what is there first of all is no change")
}

func TestPresenceOutlivesReplicasAndRestartsOfTheBus(t *testing.T) {
	server := embed(t, bus.ServerOptions{Listen: "127.0.0.1:0", GatewayUser: "g", GatewayPassword: "g"})
	url := server.URL()
	address := strings.TrimPrefix(url, "nats://")
	remote := bus.Options{URL: url, User: "g", Password: "g"}
	r := run(t, connect(t, remote))
	r.until(t, "ann")
	for _, agent := range []string{"ann", "bob", "eve"} {
		_, err := r.Update(t.Context(), "acme", agent, logIn("voice"))
		require.NoError(t, err)
	}
	_, err := r.Update(t.Context(), "acme", "bob", logOut)
	require.NoError(t, err)
	late := run(t, connect(t, remote))
	late.has(t, "ann", presence.NotReady)
	late.has(t, "bob", presence.LoggedOut)
	told := len(r.states("ann"))

	for round := range 3 { // with nothing left of the stream
		server.Close()
		require.Eventually(t, func() bool {
			_, err := r.Update(t.Context(), "acme", "ann", set(presence.Ready))
			require.Error(t, err)
			return err == bus.ErrAway
		}, patience, 5*time.Millisecond)
		begin := time.Now()
		require.True(t, func() bool { a := r.Read(t.Context(), "acme", "ann"); return a.IsLoggedIn() }(), "what this replica has")
		require.Len(t, r.List("acme"), 2)
		require.Less(t, time.Since(begin), 2*time.Second, "nobody waits for the bus")

		server = embed(t, bus.ServerOptions{Listen: address, GatewayUser: "g", GatewayPassword: "g"})
		third := run(t, connect(t, remote)) // it knows nothing itself
		state := []string{presence.NotReady, presence.Ready, "Break"}[round]
		third.has(t, "ann", state)
		third.has(t, "eve", presence.NotReady)
		require.Equal(t, presence.LoggedOut, third.Get("acme", "bob").State)
		require.Len(t, r.states("ann"), told, "a restart is no change for those who watch")
		next := []string{presence.Ready, "Break", presence.Ready}[round]
		_, err = third.Update(t.Context(), "acme", "ann", set(next))
		require.NoError(t, err)
		r.has(t, "ann", next)
		late.has(t, "ann", next)
		told++
	}
	require.Len(t, r.states("ann"), told)
}

// The replica whose knowledge is behind writes first: the later state still counts.
func TestTheLatestPresenceIsRestored(t *testing.T) {
	at := func(revision uint64, state string, second int) bus.AgentEntry {
		value := fmt.Sprintf(`{"channels":[{"name":"voice","state":%q}],"state":%q,"changed":"2026-01-02T03:04:%02dZ"}`, state, state, second)
		return bus.AgentEntry{ContactCenter: "acme", Agent: "ann", Revision: revision, At: time.Now(), Value: []byte(value)}
	}
	for name, test := range map[string]struct {
		had, found bus.AgentEntry
		want       string
	}{
		"earlier under a lower revision": {at(9, "Ready", 10), at(2, "NotReady", 5), "Ready"},
		"later under a lower revision":   {at(9, "Ready", 10), at(2, "NotReady", 15), "NotReady"},
		"higher revision":                {at(9, "Ready", 10), at(12, "NotReady", 5), "NotReady"},
	} {
		t.Run(name, func(t *testing.T) {
			p := presence.New(presence.Options{})
			p.Replace(test.had)
			p.Replace(test.found)
			require.Equal(t, test.want, p.Get("acme", "ann").State)
		})
	}
}

func TestARequestEndsWithItsContext(t *testing.T) {
	r := run(t, connect(t, bus.Options{URL: "nats://127.0.0.1:1"}))
	_, err := r.Update(t.Context(), "acme", "ann", logIn("chat"))
	require.ErrorIs(t, err, bus.ErrAway)
	require.Equal(t, presence.LoggedOut, r.Read(t.Context(), "acme", "ann").State)

	c := connect(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	warm := run(t, c)
	warm.until(t, "ann")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = warm.Update(ended, "acme", "ann", logIn("chat"))
	require.ErrorIs(t, err, context.Canceled)

	idle := &replica{Presence: presence.New(presence.Options{Bus: c})} // nobody runs it: its copy never has the change
	begin := time.Now()
	_, err = idle.Update(t.Context(), "acme", "ann", logIn("chat"))
	require.NoError(t, err)
	require.Less(t, time.Since(begin), 5*time.Second)
	require.Equal(t, presence.NotReady, idle.Read(t.Context(), "acme", "ann").State)
}

func TestAPresenceThatIsTooLargeIsRefused(t *testing.T) {
	r := run(t, connect(t, bus.Options{Server: embed(t, bus.ServerOptions{})}))
	r.until(t, "ann")
	_, err := r.Update(t.Context(), "acme", "ann", func(a *presence.Agent) { a.Place = strings.Repeat("x", bus.AgentMaxSize) })
	require.ErrorContains(t, err, "bytes")
}

func TestForeignBytesAreLoggedOut(t *testing.T) {
	c := connect(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	r := run(t, c)
	r.until(t, "ann")
	after, err := r.Update(t.Context(), "acme", "ann", logIn("chat"))
	require.NoError(t, err)
	require.Equal(t, presence.NotReady, after.State)
	entry, err := c.ReadAgent(t.Context(), "acme", "ann")
	require.NoError(t, err)
	_, err = c.WriteAgent(t.Context(), "acme", "ann", []byte("{"), entry.Revision)
	require.NoError(t, err)
	r.has(t, "ann", presence.LoggedOut)
	_, err = r.Update(t.Context(), "acme", "ann", logIn("chat"))
	require.NoError(t, err)
	r.has(t, "ann", presence.NotReady)
}

func TestStateAndSinceFollowFromTheChannels(t *testing.T) {
	r := run(t, connect(t, bus.Options{Server: embed(t, bus.ServerOptions{})}))
	r.until(t, "ann")
	update := func(change func(*presence.Agent)) presence.Agent {
		after, err := r.Update(t.Context(), "acme", "ann", change)
		require.NoError(t, err)
		return after
	}
	in := update(logIn("voice", "chat"))
	require.False(t, in.Since.IsZero())
	require.Equal(t, []string{"voice", "chat"}, in.Concerns)
	again := update(func(a *presence.Agent) { a.Concerns = []string{"chat"} })
	require.Equal(t, in.Since, again.Since)
	require.Equal(t, in.Channels, again.Channels)
	require.Empty(t, again.Reference, "a reference is that of the last change alone")
	require.True(t, again.Changed.After(in.Changed))

	mixed := update(func(a *presence.Agent) { a.Channel("chat").State = presence.Ready })
	require.Equal(t, presence.NotReady, mixed.State)
	require.Equal(t, in.Since, mixed.Since)
	require.Equal(t, in.Channels[0], mixed.Channels[0])
	require.True(t, mixed.Channels[1].Since.After(in.Since))

	require.Equal(t, "Lunch", update(func(a *presence.Agent) { a.Channel("voice").State = "Lunch" }).State)
	require.Equal(t, presence.Ready, update(set(presence.Ready)).State)
	out := update(logOut)
	require.Equal(t, presence.LoggedOut, out.State)
	require.False(t, out.IsLoggedIn())
	require.Nil(t, out.Channel("voice"))
}

func TestThoseWhoWatchGetCopies(t *testing.T) {
	r := run(t, connect(t, bus.Options{Server: embed(t, bus.ServerOptions{})}))
	r.until(t, "ann")
	stop := r.Watch(func(_, after presence.Agent) {
		for i := range after.Channels {
			after.Channels[i].State = "broken"
		}
	})
	_, err := r.Update(t.Context(), "acme", "ann", logIn("chat"))
	require.NoError(t, err)
	require.Equal(t, presence.NotReady, r.Get("acme", "ann").State)
	require.Equal(t, presence.NotReady, r.Get("acme", "ann").Channels[0].State)
	stop()
	stop()
}
