package gateway_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"segue/interaction"
)

// within are the callers of the contact center.
var within = []caller{thePlatform, theAdmin, theSupervisor, ann, bob, carl}

// TestEveryCommandIsJudgedAsTheStateMachineSays sends every command in every state as every caller. The
// answer must be the one that the transition table gives, with its reason, what is legal instead, and the
// capabilities afterwards. SEGUE_WHOLE=1 also applies all that is legal; without it, a third of that, and
// always the same third.
func TestEveryCommandIsJudgedAsTheStateMachineSays(t *testing.T) {
	require.Empty(t, unreached(), "every state is reached")
	for _, s := range situations {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			shared := "judged-" + s.name
			require.NoError(t, s.begin(shared))
			require.NoError(t, s.readByAll(shared))
			legal, err := s.refuseAll(shared)
			require.NoError(t, err)
			require.NoError(t, s.strangers(shared))
			require.NoError(t, s.readByAll(shared), "what is refused changes nothing")
			group := errgroup.Group{}
			group.SetLimit(4)
			for _, cell := range legal {
				group.Go(func() error { return s.apply(cell) })
			}
			require.NoError(t, group.Wait())
		})
	}
}

func unreached() []interaction.State {
	return slices.DeleteFunc(interaction.States(), func(state interaction.State) bool {
		return slices.ContainsFunc(situations, func(s situation) bool { return s.state == state })
	})
}

// begin starts an interaction in the situation.
func (s situation) begin(id string) error { return s.beginAs(thePlatform, id) }

// beginAs starts it in the contact center of a platform.
func (s situation) beginAs(c caller, id string) error {
	body := fmt.Sprintf(`{"id":%q,%s,"commands":[%s]}`, id, s.start, strings.Join(s.commands, ","))
	a, err := c.send(http.MethodPost, "/v1/interactions", body)
	if err != nil {
		return err
	}
	answer, _ := a.Body["answer"].(map[string]any)
	if a.Status != http.StatusCreated || answer["state"] != string(s.state) {
		return fmt.Errorf("start of %s: %s", id, a.Raw)
	}
	return nil
}

// readByAll reads the interaction as every caller, and requires the caller's capabilities.
func (s situation) readByAll(id string) error {
	twin, err := s.twin(id)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range within {
		a, err := c.send(http.MethodGet, "/v1/interactions/"+id, "")
		want := verdict{status: http.StatusOK, state: s.state, capabilities: capabilitiesOf(twin, c), sequence: twin.Sequence()}
		if c.role == interaction.RoleAgent && twin.Completed() && !slices.Contains(twin.Involved(), c.name) {
			want = verdict{status: http.StatusForbidden, kind: "not-permitted"}
		}
		if err = errors.Join(err, want.differs(a)); err != nil {
			errs = append(errs, fmt.Errorf("%s reads %s: %w", c.name, id, err))
		}
	}
	return errors.Join(errs...)
}

// cell is a command of a caller.
type cell struct {
	caller
	command string
}

// refuseAll sends every command that must be refused, many at once. It returns the others.
func (s situation) refuseAll(id string) (legal []cell, err error) {
	group := errgroup.Group{}
	group.SetLimit(16)
	for _, c := range within {
		for _, command := range interaction.Commands() {
			twin, err := s.twin(id)
			if err != nil {
				return nil, err
			}
			payload := payloadOf(c, command)
			want := verdictOn(twin, c, command, payload)
			if want.status == http.StatusOK {
				legal = append(legal, cell{c, command})
				continue
			}
			group.Go(func() error { return c.give(id, command, payload, want) })
		}
	}
	return legal, group.Wait()
}

// give sends a command and requires the answer of the verdict.
func (c caller) give(id, command, payload string, want verdict, headers ...string) error {
	a, err := c.send(http.MethodPost, "/v1/interactions/"+id+"/commands/"+command, payload, headers...)
	if err != nil {
		return err
	}
	if err := want.differs(a); err != nil {
		return fmt.Errorf("%s sends %s to %s: %w", c.name, command, id, err)
	}
	if a.Header.Get("Idempotency-Key") == "" && a.Status != http.StatusUnauthorized {
		return fmt.Errorf("%s sends %s to %s: the answer has no key", c.name, command, id)
	}
	return nil
}

// strangers sends every command, and every read, as somebody of another contact center and as nobody.
func (s situation) strangers(id string) error {
	foreign := verdict{status: http.StatusNotFound, kind: "not-found"}
	unknown := verdict{status: http.StatusUnauthorized, kind: "unauthenticated"}
	group := errgroup.Group{}
	group.SetLimit(4)
	for _, command := range interaction.Commands() {
		payload := payloadOf(elsewhere, command)
		group.Go(func() error {
			return errors.Join(
				elsewhere.give(id, command, payload, foreign), nobody.give(id, command, payload, unknown),
				elsewhere.give(id, command, payload, foreign, "Segue-Contact-Center", "acme"),
			)
		})
	}
	return group.Wait()
}

// apply starts an interaction and applies a legal command to it, and repeats it.
func (s situation) apply(c cell) error {
	if isSkipped(s.name + c.name + c.command) {
		return nil
	}
	id := "applied-" + s.name + "-" + c.name + "-" + c.command
	twin, err := s.twin(id)
	if err != nil {
		return err
	}
	payload := payloadOf(c.caller, c.command)
	want := verdictOn(twin, c.caller, c.command, payload)
	if err := cmpErr(s.begin(id), c.give(id, c.command, payload, want, "Idempotency-Key", "k-"+id)); err != nil {
		return err
	}
	if twin.Completed() && !twin.Lingers() {
		return nil // the workflow ends, and takes no repeats
	}
	return c.give(id, c.command, payload, want, "Idempotency-Key", "k-"+id)
}

func isSkipped(name string) bool {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name)) // never fails
	return os.Getenv("SEGUE_WHOLE") == "" && hash.Sum32()%3 != 0
}
