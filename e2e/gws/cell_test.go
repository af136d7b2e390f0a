package gws_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"segue/interaction"
)

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
