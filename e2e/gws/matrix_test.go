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

	"segue/interaction"
)

// How much is tried at once, and which part without SEGUE_WHOLE=1: of what must be refused one cell in
// refusedShare, of what must be applied one in appliedShare.
const (
	atOnce       = 8
	refusedShare = 16
	appliedShare = 16
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

// cell is an operation of a caller in a situation.
type cell struct {
	scene
	caller
	operation
	id string
	// number is the cell's own.
	number int64
}

func (c cell) String() string {
	return fmt.Sprintf("%s: %s by %s (%s)", c.scene, c.operation, c.caller.name, c.id)
}

// reference is the referenceId of the cell's request: a number or a text.
func (c cell) reference() any {
	if c.number%2 == 0 {
		return c.number
	}
	return fmt.Sprintf("r-%d", c.number)
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

// send sends the cell's request, by one of the paths that it has.
func (c cell) send() (answer, error) {
	method, path := http.MethodPost, c.operation.path
	plural := mediumOf(c.channel).plural
	ways := []string{"/api/v2/me/interactions/{id}", "/api/v2/me/interaction/{id}", "/api/v2/me/" + plural + "/{id}", "/api/v2/me/interactions/{id}/"}
	if c.operation.method == http.MethodPut {
		method, ways = http.MethodPut, []string{"/api/v2/interactions/{id}", "/api/v2/" + plural + "/{id}"}
	}
	fields := []string{fmt.Sprintf(`"referenceId":%s`, text(c.reference()))}
	switch {
	case path != "":
		fields = append(fields, fmt.Sprintf(`"operationName":%q,"id":%q`, c.operation.name, c.id))
	case method == http.MethodPost && c.operation.name != "":
		fields = append(fields, fmt.Sprintf(`"operationName":%q`, c.operation.name))
	}
	if path == "" {
		path = ways[c.number%int64(len(ways))]
	}
	if c.operation.fields != "" {
		fields = append(fields, c.operation.fields)
	}
	return c.caller.send(method, strings.ReplaceAll(path, "{id}", c.id), "{"+strings.Join(fields, ",")+"}")
}

// refuse sends a request that changes nothing.
func (m *matrix) refuse(c cell) error {
	m.refused.Add(1)
	t, err := c.twin(c.id)
	if err != nil {
		return err
	}
	a, err := c.send()
	if err != nil {
		return err
	}
	return a.check(judge(t, c.caller, c.operation), c.operation.name, c.reference())
}

// unchanged returns an error if an interaction is no longer at a revision.
func unchanged(id string, revision int64) error {
	a, err := thePlatform.send(http.MethodGet, "/v1/interactions/"+id, "")
	if err != nil {
		return err
	}
	if now, _ := a.body["revision"].(float64); int64(now) != revision {
		return fmt.Errorf("%s was at revision %d: %s", id, revision, a.raw)
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

// outcome is what a cell has done.
type outcome struct {
	cell
	verdict
	revision int64
	children []*twin
}

// apply sends a request that changes an interaction of its own.
func (m *matrix) apply(c cell) (*outcome, error) {
	m.applied.Add(1)
	made := &outcome{cell: c}
	var err error
	if made.revision, err = c.begin(c.id); err != nil {
		return made, err
	}
	t, err := c.twin(c.id)
	if err != nil {
		return made, err
	}
	made.verdict = judge(t, c.caller, c.operation)
	a, err := c.send()
	if err != nil {
		return made, err
	}
	wrong := []error{a.check(made.verdict, c.operation.name, c.reference())}
	if c.caller.isAgent() {
		wrong = append(wrong, t.checkList(c.id, c.caller))
	}
	wrong = append(wrong, t.checkReads(c.id, ann, bob, carl, theSupervisor))
	for _, begin := range made.verdict.children {
		child, err := twinOf(begin)
		if err != nil {
			return made, err
		}
		made.children = append(made.children, child)
		wrong = append(wrong, child.checkList(begin.ID, c.caller), child.checkReads(begin.ID, ann, bob, theAdmin))
	}
	return made, errors.Join(append(wrong, made.checkCommands(), m.awaitNotified(made))...)
}

// checkCommands compares the changes of the interaction with the commands that it must have had.
func (o *outcome) checkCommands() error {
	notices := changes.after(o.id, o.revision, len(o.steps))
	if len(notices) != len(o.steps) {
		return fmt.Errorf("%d changes, not %d", len(notices), len(o.steps))
	}
	var wrong []error
	for n, notice := range notices {
		s := o.steps[n]
		if notice.Command != s.name || notice.Sequence != s.sequence || notice.Revision != o.revision+int64(n)+1 || !sameActor(notice.By, s.by) {
			wrong = append(wrong, fmt.Errorf("the change is %s by %+v, sequence %d, revision %d; want %s by %+v, %d", notice.Command, notice.By,
				notice.Sequence, notice.Revision, s.name, s.by, s.sequence))
		}
		suffix := fmt.Sprintf("-%v", o.reference())
		if o.operation.name != "" && (!strings.HasPrefix(notice.EventID, "gws-") || !strings.HasSuffix(notice.EventID, suffix)) {
			wrong = append(wrong, fmt.Errorf("the event id is %q, and the reference %v", notice.EventID, o.reference()))
		}
		if notice.State == nil {
			return errors.New("the change has no state")
		}
		if got, want := essence(notice.State.Status), essence(s.after[ann.name].Status); got != want {
			wrong = append(wrong, fmt.Errorf("the state is\n%s and should be\n%s", got, want))
		}
	}
	return errors.Join(wrong...)
}

func sameActor(a, b *interaction.Actor) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// essence is a state without times and without what depends on who asks.
func essence(s interaction.Status) string {
	fields := map[string]any{"state": s.State, "outcome": s.Outcome, "queue": s.Queue, "owner": s.Agent, "to": s.OfferedTo, "participants": s.Participants,
		"data": s.UserData, "comment": s.Comment, "workbin": s.Workbin, "destination": s.Destination, "children": s.Children, "channel": s.Channel}
	if s.Disposition != nil {
		fields["disposition"] = []string{s.Disposition.Code, s.Disposition.Notes, s.Disposition.Agent}
	}
	return text(fields)
}

// dueFor returns what an agent must be notified of the outcome: of the interaction, and of its drafts.
func (o *outcome) dueFor(agent string) map[string][]due {
	all := map[string][]due{}
	add := func(id string, t due, revision, sequence int64) {
		t.revision, t.sequence = revision, sequence
		if o.caller.name == agent {
			t.reference = o.reference()
		}
		if len(t.must)+len(t.may) > 0 {
			all[id] = append(all[id], t)
		}
	}
	for n, s := range o.steps {
		add(o.id, dueOf(s.before[agent], s.after[agent], s.command, s.by), o.revision+int64(n)+1, s.sequence)
	}
	for _, child := range o.children {
		add(child.Facts().ID, dueOf(look{agent: agent}, child.seenBy(agent), command{"start", nil}, nil), 1, child.Sequence())
	}
	return all
}

// awaitNotified waits until every agent has received what must come at least.
func (m *matrix) awaitNotified(o *outcome) error {
	var wrong []error
	for _, c := range agents {
		for id, list := range o.dueFor(c.name) {
			want := 0
			for _, t := range list {
				want += 2 * len(t.must)
			}
			wrong = append(wrong, m.sessions[c.name].await(id, list[0].revision-1, want))
		}
	}
	return errors.Join(wrong...)
}

// checkNotified compares what every agent has received with what must come.
func (m *matrix) checkNotified(o *outcome) error {
	var wrong []error
	for _, c := range agents {
		s := m.sessions[c.name]
		expected := o.dueFor(c.name)
		var came map[string][]notification
		s.read(func() { came = map[string][]notification{o.id: s.of(o.id, o.revision)} })
		for _, child := range o.children {
			s.read(func() { came[child.Facts().ID] = s.of(child.Facts().ID, 0) })
		}
		for id, list := range came {
			if err := checkAll(expected[id], list); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: what %s receives of %s: %w", o.cell, c.name, id, err))
			}
		}
	}
	return errors.Join(wrong...)
}

// checkAll compares the messages of one interaction with what must come.
func checkAll(expected []due, came []notification) error {
	var wrong []error
	for _, t := range expected {
		var ofRevision []notification
		for _, n := range came {
			if n.revision == t.revision {
				ofRevision = append(ofRevision, n)
			}
		}
		wrong = append(wrong, t.check(ofRevision))
	}
	for n, message := range came {
		if !slices.ContainsFunc(expected, func(t due) bool { return t.revision == message.revision }) {
			wrong = append(wrong, fmt.Errorf("a message of revision %d: %s", message.revision, text(message.fields)))
		}
		if n > 0 && came[n-1].revision > message.revision {
			wrong = append(wrong, fmt.Errorf("revision %d comes after %d", message.revision, came[n-1].revision))
		}
	}
	return errors.Join(wrong...)
}

// silent requires that nobody has received anything of an interaction after a revision.
func (m *matrix) silent(id string, revision int64) error {
	var wrong []error
	for name, s := range m.sessions {
		s.read(func() {
			for _, n := range s.of(id, revision) {
				wrong = append(wrong, fmt.Errorf("%s receives %s of %s", name, text(n.fields), id))
			}
		})
	}
	return errors.Join(wrong...)
}

// requireNothingElsewhere requires that an agent of another contact center has received nothing but the
// content of workbins, which is none.
func (m *matrix) requireNothingElsewhere(t *testing.T) {
	t.Helper()
	s := m.sessions[eve.name]
	s.read(func() {
		for _, message := range s.messages {
			require.Equal(t, "WorkbinContentMessage", message.Data["messageType"], "%s", text(message.Data))
			require.Equal(t, []any{}, message.Data["interactions"], "%s", text(message.Data))
		}
	})
}

// barrier waits until every agent has received a change that is made now.
func (m *matrix) barrier() error {
	id := fmt.Sprintf("barrier-%d", m.ids.Add(1))
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
	if err == nil && a.status != http.StatusOK && a.status != http.StatusConflict {
		err = fmt.Errorf("end of %s: %s", id, a.raw)
	}
	return err
}
