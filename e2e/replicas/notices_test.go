package replicas_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A worker kills itself when Temporal has a change and the bus does not. Another worker runs: the
// lists and streams of all gateways have the change within 10 s.
func TestAWorkerIsKilledBetweenCommitAndNotice(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startGateway()
	w.startGateway()
	w.startWorker()
	streams := w.follow()
	var ids []string
	for round := range reduced(2, 20) {
		dying := w.startWorker(func(o *workerOptions) { o.DieAt = int64(1 + 3*round) })
		for number := 0; !isOver(dying); number++ {
			require.Less(t, number, 500, "the worker gets no task")
			id := fmt.Sprintf("i%d-%d", round, number) // any worker may get its first task
			start := fmt.Sprintf(`{"id":%q,"channel":"inbound","queue":"q"}`, id)
			for _, one := range [][2]string{{"", start}, {"/" + id + "/commands/dtmf", `{"digits":"1"}`}} {
				got, err := w.request(t.Context(), w.replica(number), "", http.MethodPost, "/v1/interactions"+one[0], "", one[1])
				require.NoError(t, err)
				require.Contains(t, []int{http.StatusOK, http.StatusCreated, http.StatusServiceUnavailable}, got.status, "%s", got.body)
			}
			ids = append(ids, id)
		}
		w.agree(healedWithin, ids...)
		streams.agree(healedWithin, ids...)
	}
	gaps := 0
	for _, f := range streams {
		gaps += f.gaps
	}
	require.Positive(t, gaps, "changes had no notice of their own")
}

func isOver(p *process) bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Workers lose answers of the server, do tasks again, evict what they cache, are suspended and killed,
// under load.
func TestWorkersInTrouble(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startGateway()
	w.startGateway()
	w.startWorker()
	w.startWorker(func(o *workerOptions) { o.LoseEach = 5 })
	w.startWorker(func(o *workerOptions) { o.Cache = 1 })
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	streams := w.follow()
	l := w.begin(12, 4)
	l.awaitMore(60, patience)
	for range reduced(2, 15) {
		l.awaitMore(20+random.Int64N(60), patience)
		w.workers[0].kill()
		w.workers[0] = w.startWorker()
		w.workers = w.workers[:3]
		suspended := w.workers[random.IntN(3)]
		suspended.signal(syscall.SIGSTOP)
		l.awaitMore(1, patience)
		time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second))))
		suspended.signal(syscall.SIGCONT)
	}
	l.awaitMore(60, patience)
	l.end()
	w.agree(healedWithin, l.ids...)
	streams.agree(healedWithin, l.ids...)
}
