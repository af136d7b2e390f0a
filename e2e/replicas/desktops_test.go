package replicas_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Agents work over all replicas while processes are suspended and killed. Their desktops, which read
// notifications with acknowledgments and lose some of the answers, have each change once and in order, and in
// the end know what is.
func TestDesktopsAndKilledProcesses(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startWorker()
	w.startWorker()
	w.startGateway()
	w.startGateway()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := w.staff(4, reduced(6, 24))
	s.logIn()
	s.works(20)
	for range reduced(1, 8) {
		s.isSuspended(w.workers[random.IntN(2)])
		s.agree()
		s.isSuspended(w.replica(random.IntN(2)).process)
		killed := w.replica(random.IntN(2))
		killed.kill()
		w.drop(killed)
		w.startGateway()
		s.works(20)
		s.isSuspended(w.bus)
		if random.IntN(2) == 0 {
			s.agree() // else what was lost in the next part is found together with it
		}
		s.losesWorkerAndBus()
		s.works(30)
	}
	s.end()
	s.agree()
}

// losesWorkerAndBus replaces a worker, and the bus without what it has stored, while the agents work.
func (s *staff) losesWorkerAndBus() {
	s.Helper()
	s.calm.Add(1) // a killed worker publishes nothing, and without the bus nobody does
	s.lossy.Store(true)
	s.workers[0].kill()
	s.workers = slices.Delete(s.workers, 0, 1)
	s.startWorker()
	s.works(8)
	s.bus.kill()
	s.works(8)
	s.store = s.TempDir()
	s.startBus()
	s.awaitBus()
	s.calm.Add(1)
	s.agree()
	s.isLoggedIn()
}

// staff are agents with a desktop on each replica, who give each other interactions.
type staff struct {
	*world
	agents   []string
	desktops []*desktop
	// calm is even while all processes run and have the bus, and rises: else lists are late.
	calm atomic.Int64
	// lossy is set from when a worker or the bus is suspended or killed until all agree again: notices get
	// lost, or come after others have gone on.
	lossy   atomic.Bool
	rounds  atomic.Int64
	ending  atomic.Bool
	idle    sync.RWMutex // held for reading by who works
	working sync.WaitGroup
	broken  atomic.Int64
	mu      sync.Mutex
	faults  []string
}

func (w *world) staff(agents, interactions int) *staff {
	w.Helper()
	s := &staff{world: w}
	for n := range agents {
		s.agents = append(s.agents, fmt.Sprint("agent-", n))
		for replica := range w.replicas() {
			s.desktops = append(s.desktops, w.desktop(s.agents[n], replica, s))
		}
	}
	w.eventually(startWithin, "all desktops have a session", func() bool {
		return !slices.ContainsFunc(s.desktops, func(d *desktop) bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.sessions == 0
		})
	}, func() string { return fmt.Sprint(s.desktops[0].ended) })
	for n := range interactions {
		id := fmt.Sprint("call-", n)
		w.start(w.replica(n), id)
		s.working.Go(func() { s.work(id, n) })
	}
	w.Cleanup(s.stop)
	return s
}

func (s *staff) stop() {
	s.ending.Store(true)
	s.working.Wait()
}

// work has one agent after the other work on an interaction.
func (s *staff) work(id string, number int) {
	for n := number; !s.ending.Load(); n++ {
		s.turn(id, s.agents[n%len(s.agents)], n*100)
	}
}

func (s *staff) turn(id, agent string, from int) {
	s.idle.RLock()
	defer s.idle.RUnlock()
	as := func(fields string) func(int) string { return func(int) string { return fields } }
	// An operation that is done again, because its answer was lost, has to change something: else its
	// revision has no message.
	data := func(n int) func(int) string {
		return func(try int) string { return fmt.Sprintf(`,"userData":{"round":%d,"try":%d}`, from+n, try) }
	}
	s.operate(id, agent, "Accept", as(""))
	s.hasListed(id, agent)
	for n := range 6 {
		s.operate(id, agent, []string{"UpdateUserData", "Hold", "UpdateUserData", "Retrieve", "UpdateUserData", "UpdateUserData"}[n], data(n))
	}
	s.operate(id, agent, "PlaceInQueue", as(`,"queueName":"q"`))
	s.rounds.Add(1)
}

// hasListed requires that the interaction that an agent has just accepted is in the agent's lists.
func (s *staff) hasListed(id, agent string) {
	reader := &desktop{world: s.world, agent: agent}
	for i, g := range s.replicas() {
		isCalm := s.isCalm()
		listed, err := reader.mine(context.WithoutCancel(s.Context()), g)
		if err == nil && listed[id] == nil && isCalm() {
			s.fault("%s is accepted by %s, and not in the list of replica %d", id, agent, i)
		}
	}
}

// isCalm returns what reports whether no process was suspended or lacked the bus since.
func (s *staff) isCalm() func() bool {
	began := s.calm.Load()
	return func() bool { return began%2 == 0 && s.calm.Load() == began }
}

func (s *staff) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// operate sends an operation to any replica, again until it is done. fields are those of one try.
func (s *staff) operate(id, agent, operation string, fields func(try int) string) {
	client := &desktop{world: s.world, agent: agent}
	limit := time.Now().Add(patience)
	for try := 0; time.Now().Before(limit); try++ {
		var answer struct {
			StatusCode    int    `json:"statusCode"`
			StatusMessage string `json:"statusMessage"`
		}
		err := client.ask(context.WithoutCancel(s.Context()), s.replica(rand.IntN(2)), http.MethodPost, "/api/v2/me/calls/"+id,
			fmt.Appendf(nil, `{"operationName":%q%s}`, operation, fields(try)), &answer)
		isDone := err == nil && (answer.StatusCode == 0 || try > 0 && (answer.StatusCode == 2 || answer.StatusCode == 5))
		switch {
		case isDone:
			return
		case err == nil:
			s.fault("%s of %s by %s: %d %s", operation, id, agent, answer.StatusCode, answer.StatusMessage)
			return
		}
		s.broken.Add(1)
		time.Sleep(50 * time.Millisecond) // as a client does
	}
	s.fault("%s of %s by %s is never done", operation, id, agent)
}

// works waits until so many more turns are done.
func (s *staff) works(turns int64) {
	s.Helper()
	target := s.rounds.Load() + turns
	s.eventually(patience, "agents work", func() bool { return s.rounds.Load() >= target })
}

// isSuspended suspends a process for a second, while the agents go on.
func (s *staff) isSuspended(p *process) {
	s.Helper()
	s.calm.Add(1)
	if p.name != "gateway" {
		s.lossy.Store(true)
	}
	p.signal(syscall.SIGSTOP)
	time.Sleep(time.Second)
	p.signal(syscall.SIGCONT)
	s.works(12)
	s.calm.Add(1)
	s.works(8)
}

// agree requires that everybody knows what is, once nobody works, and that nothing was wrong until then.
func (s *staff) agree() {
	s.Helper()
	s.idle.Lock()
	defer s.idle.Unlock()
	wrong := func() string {
		text := ""
		for _, d := range s.desktops {
			text += d.differs()
		}
		return text
	}
	begin := time.Now()
	s.eventually(until(2*healedWithin, begin), "all desktops know what is", func() bool { return wrong() == "" }, wrong)
	s.Logf("agreed after %s", time.Since(begin).Round(time.Millisecond))
	s.mu.Lock()
	faults := slices.Clone(s.faults)
	s.mu.Unlock()
	for _, d := range s.desktops {
		d.mu.Lock()
		faults = append(faults, d.faults...)
		d.mu.Unlock()
	}
	require.Empty(s, faults)
	s.lossy.Store(false)
}

func (s *staff) end() {
	s.stop()
	sessions, messages, again, skipped := 0, 0, 0, 0
	for _, d := range s.desktops {
		d.mu.Lock()
		sessions, messages, again, skipped = sessions+d.sessions, messages+d.messages, again+d.again, skipped+d.skipped
		d.mu.Unlock()
	}
	s.Logf("%d turns, %d requests broken; %d sessions, %d messages, %d answers sent again, %d changes without their own message",
		s.rounds.Load(), s.broken.Load(), sessions, messages, again, skipped)
}

// logIn logs all agents in.
func (s *staff) logIn() {
	s.Helper()
	for n, agent := range s.agents {
		for i, operation := range []string{"StartContactCenterSession", "Ready"} {
			var done map[string]any
			require.NoError(s, (&desktop{world: s.world, agent: agent}).ask(s.Context(), s.replica(n+i), http.MethodPost, "/api/v2/me",
				fmt.Appendf(nil, `{"operationName":%q,"channels":["voice"]}`, operation), &done))
			require.EqualValues(s, 0, done["statusCode"], done)
		}
	}
	s.isLoggedIn()
}

// isLoggedIn requires that all replicas have all agents as ready.
func (s *staff) isLoggedIn() {
	s.Helper()
	states := func() string {
		text := ""
		for _, agent := range s.agents {
			for i, g := range s.replicas() {
				var me struct {
					User struct{ Channels json.RawMessage }
				}
				err := (&desktop{world: s.world, agent: agent}).ask(s.Context(), g, http.MethodGet, "/api/v2/me", nil, &me)
				var channels []struct {
					UserState struct{ State string } `json:"userState"`
				}
				if err != nil || json.Unmarshal(me.User.Channels, &channels) != nil || len(channels) != 1 || channels[0].UserState.State != "Ready" {
					text += fmt.Sprintf("replica %d has %s of %s (%v); ", i, me.User.Channels, agent, err)
				}
			}
		}
		return text
	}
	s.eventually(until(healedWithin, time.Now()), "all agents are ready on all replicas", func() bool { return states() == "" }, states)
}
