package gws_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// How much is tried at once, and which part without SEGUE_WHOLE=1: of what must be refused one cell in
// refusedShare, of what must be applied one in appliedShare.
const (
	atOnce       = 8
	refusedShare = 40
	appliedShare = 32
)

// within and outside are the callers of the matrix.
var (
	within  = agents
	outside = []caller{thePlatform, theAdmin, theSupervisor, eve, nobody}
)

// TestEveryOperationDoesWhatTheTablesSay sends every operation in every situation of every medium as every
// caller. It compares the answer, the commands that the interaction gets, what everybody reads
// afterwards, and what everybody is notified of with the oracle. SEGUE_WHOLE=1 tries all; without it,
// SEGUE_SEED chooses the cells.
func TestEveryOperationDoesWhatTheTablesSay(t *testing.T) {
	m := &matrix{seed: seed(t), sessions: sessionsOfAll(t)}
	for _, s := range scenes() {
		if !strings.Contains(s.String(), os.Getenv("SEGUE_SCENE")) {
			continue
		}
		t.Run(s.String(), func(t *testing.T) { m.try(t, s) })
	}
	m.requireNothingElsewhere(t)
	t.Logf("%d refused, %d applied", m.refused.Load(), m.applied.Load())
	requireNoDefect(t)
}

func seed(t *testing.T) uint64 {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv("SEGUE_SEED"), 10, 64)
	if err != nil {
		seed = uint64(rand.Uint32())
	}
	t.Logf("SEGUE_SEED=%d", seed)
	return seed
}

// sessionsOfAll opens a session for each agent, each in another way.
func sessionsOfAll(t *testing.T) map[string]*session {
	t.Helper()
	slashed := []string{}
	for _, topic := range topics {
		slashed = append(slashed, topic+"/")
	}
	sessions := map[string]*session{}
	for _, way := range []struct {
		caller
		isAcked       bool
		subscriptions []string
	}{{ann, true, topics}, {bob, true, []string{"/**", "/v2/me/*"}}, {carl, false, slashed}, {eve, false, topics}} {
		s, err := open(way.withPassword(), way.isAcked, way.subscriptions...)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.close()) })
		sessions[way.name] = s
	}
	return sessions
}

// matrix tries cells.
type matrix struct {
	seed             uint64
	sessions         map[string]*session
	refused, applied atomic.Int64
	ids              atomic.Int64
}

func (m *matrix) cell(s scene, c caller, o operation, id string) cell {
	return cell{s, c, o, id, m.ids.Add(1)}
}

// skips reports whether the cell is not among those that are tried.
func (m *matrix) skips(c cell, share uint64) bool {
	hash := fnv.New64a()
	fmt.Fprint(hash, m.seed, c.scene, c.operation, c.caller.name)
	return os.Getenv("SEGUE_WHOLE") == "" && hash.Sum64()%share != 0
}

// try tries the cells of a scene.
func (m *matrix) try(t *testing.T, s scene) {
	shared := fmt.Sprintf("shared-%s-%d", s, m.ids.Add(1))
	revision, err := s.begin(shared)
	require.NoError(t, err)
	require.NoError(t, s.readByAll(shared))
	refused, legal, err := m.sort(s, shared)
	require.NoError(t, err)
	require.NoError(t, m.all(refused, func(c cell) error { return m.refuse(c) }))
	require.NoError(t, unchanged(shared, revision))
	require.NoError(t, s.readByAll(shared))
	var mu sync.Mutex
	var made []*outcome
	err = m.all(legal, func(c cell) error {
		o, err := m.apply(c)
		mu.Lock()
		defer mu.Unlock()
		made = append(made, o)
		return err
	})
	require.NoError(t, m.barrier(), "everybody has everything")
	wrong := []error{err, m.silent(shared, revision)}
	for _, o := range made {
		wrong = append(wrong, m.checkNotified(o))
	}
	require.NoError(t, errors.Join(wrong...))
	require.NoError(t, m.end(append(made, &outcome{cell: cell{id: shared}})))
}

// sort sorts the cells of a scene into those that change nothing, and the others.
func (m *matrix) sort(s scene, shared string) (refused, legal []cell, err error) {
	for _, c := range slices.Concat(within, outside) {
		for _, o := range operations {
			if o.isFor != nil && !o.isFor(s) {
				continue
			}
			t, err := s.twin(shared)
			if err != nil {
				return nil, nil, err
			}
			if o.isOwners && !isOwner(t.seenBy(c.name)) && c.isAgent() {
				continue
			}
			made := m.cell(s, c, o, shared)
			switch v := judge(t, c, o); {
			case len(v.steps) == 0 && !m.skips(made, refusedShare):
				refused = append(refused, made)
			case len(v.steps) > 0 && !m.skips(made, appliedShare):
				made.id = fmt.Sprintf("cell-%d", made.number)
				legal = append(legal, made)
			}
		}
	}
	return refused, legal, nil
}

// all does something with all cells, some at once, and returns all that went wrong.
func (m *matrix) all(cells []cell, do func(cell) error) error {
	var mu sync.Mutex
	var wrong []error
	group := errgroup.Group{}
	group.SetLimit(atOnce)
	for _, c := range cells {
		group.Go(func() error {
			if err := do(c); err != nil {
				mu.Lock()
				defer mu.Unlock()
				wrong = append(wrong, fmt.Errorf("%s: %w", c, err))
			}
			return nil
		})
	}
	_ = group.Wait() // they return nothing
	return errors.Join(wrong...)
}

// unchanged returns an error if an interaction is no longer at a revision.
func unchanged(id string, revision int64) error {
	a, err := thePlatform.send(http.MethodGet, "/v1/interactions/"+id, "")
	if err != nil {
		return err
	}
	if now, _ := a.Body["revision"].(float64); int64(now) != revision {
		return fmt.Errorf("%s was at revision %d: %s", id, revision, a.Raw)
	}
	return nil
}

func (s scene) readByAll(id string) error {
	t, err := s.twin(id)
	if err != nil {
		return err
	}
	return t.checkReads(id, ann, bob, carl, theAdmin, theSupervisor, thePlatform)
}

// barriers counts those of all matrices, which share the gateway.
var barriers atomic.Int64

// barrier waits until every agent has received a change that is made now.
func (m *matrix) barrier() error {
	id := fmt.Sprintf("barrier-%d", barriers.Add(1))
	if _, err := start(id, `"channel":"inbound"`, `{"command":"offer","agents":["ann","bob","carl"]}`); err != nil {
		return err
	}
	var wrong []error
	for _, c := range agents {
		wrong = append(wrong, m.sessions[c.name].await(id, 0, 2))
	}
	return errors.Join(append(wrong, ended(id))...)
}

// end ends all that is open, to keep lists short.
func (m *matrix) end(made []*outcome) error {
	var wrong []error
	for _, o := range made {
		wrong = append(wrong, ended(o.id))
		for _, child := range o.children {
			wrong = append(wrong, ended(child.Facts().ID))
		}
	}
	return errors.Join(wrong...)
}

func ended(id string) error {
	a, err := thePlatform.send(http.MethodPost, "/v1/interactions/"+id+"/commands/cancel", "{}")
	if err == nil && a.Status != http.StatusOK && a.Status != http.StatusConflict {
		err = fmt.Errorf("end of %s: %s", id, a.Raw)
	}
	return err
}
