package gws_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

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
			wrong = append(wrong, m.sessions[c.name].awaitAll(id, list))
		}
	}
	return errors.Join(wrong...)
}

// awaitAll waits until everything has come that must, whatever else may come before it.
func (s *session) awaitAll(id string, list []due) error {
	if !s.until(func() bool {
		came := s.of(id, list[0].revision-1)
		return len(s.faults) > 0 || !slices.ContainsFunc(list, func(t due) bool { return !t.hasCome(came) })
	}) {
		return fmt.Errorf("%s has not received all that must come of %s", s.name, id)
	}
	return nil
}

// hasCome reports whether what must come of a revision has come on both topics.
func (t due) hasCome(came []notification) bool {
	count := map[string]int{}
	for _, n := range came {
		if n.revision == t.revision {
			count[n.kind]++
		}
	}
	return !slices.ContainsFunc(t.must, func(kind string) bool { return count[kind] < 2 })
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
