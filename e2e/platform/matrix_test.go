package platform_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"segue/interaction"
)

// paths are how an interaction gets into each state: its channel, and its first commands.
var paths = map[interaction.State][2]string{
	interaction.StateStarted:    {"inbound", ``},
	interaction.StateQueued:     {"inbound", `{"command":"place_in_queue","queue":"sales"}`},
	interaction.StateOffered:    {"inbound", `{"command":"offer","agent":"ann"}`},
	interaction.StateHandling:   {"inbound", `{"command":"offer","agent":"ann"},{"command":"accept","agent":"ann"}`},
	interaction.StateDialing:    {"outbound", `{"command":"dial","agent":"ann","destination":"+4930123"}`},
	interaction.StateConsulting: {"inbound", `{"command":"offer","agent":"ann"},{"command":"accept","agent":"ann"},{"command":"consult","to":{"agent":"bob"}}`},
	interaction.StateConference: {"inbound", `{"command":"offer","agent":"ann"},{"command":"accept","agent":"ann"},{"command":"conference","agent":"bob"}`},
	interaction.StateInWorkbin:  {"email", `{"command":"offer","agent":"ann"},{"command":"accept","agent":"ann"},{"command":"place_in_workbin","workbin":"drafts"}`},
	interaction.StateWrapUp:     {"inbound", `{"command":"offer","agent":"ann"},{"command":"accept","agent":"ann"},{"command":"disconnect"}`},
	interaction.StateEngaging:   {"web", `{"command":"engage","ixnProfile":{"visitID":"v-1"}}`},
	interaction.StateCompleted:  {"inbound", `{"command":"abandon"}`},
}

// TestCapabilitiesAreWhatMayBeDone asks for the capabilities of each caller in each state, and sends every
// command: those among the capabilities are applied, all others are refused with the right problem.
// For another contact center, no interaction exists.
func TestCapabilitiesAreWhatMayBeDone(t *testing.T) {
	require.Len(t, paths, len(interaction.States())-1, "all but composing, which a reply starts")
	callers := map[string]string{"platform": thePlatform, "supervisor": theSupervisor, "ann": ann, "bob": bob}
	group := errgroup.Group{}
	group.SetLimit(8)
	for state := range paths {
		for name, caller := range callers {
			group.Go(func() error { return tryCommands(t, state, name, caller) })
		}
	}
	require.NoError(t, group.Wait())
}

// begin starts an interaction in a state.
func begin(t *testing.T, state interaction.State, id string) error {
	path := paths[state]
	a := send(t, thePlatform, http.MethodPost, "/v1/interactions", fmt.Sprintf(`{"id":%q,"channel":%q,"commands":[%s]}`, id, path[0], path[1]))
	answer, _ := a.Body["answer"].(map[string]any)
	if answer["state"] != string(state) {
		return fmt.Errorf("%s: is %v: %s", id, answer["state"], a.Raw)
	}
	return nil
}

func tryCommands(t *testing.T, state interaction.State, name, caller string) error {
	id := fmt.Sprintf("m-%s-%s", state, name)
	if err := begin(t, state, id); err != nil {
		return err
	}
	read := get(t, caller, "/v1/interactions/"+id)
	var legal []any
	if read.Status == http.StatusOK {
		legal = read.Body["capabilities"].([]any)
	} else if state != interaction.StateCompleted || read.Problem() != "not-permitted" {
		return fmt.Errorf("%s: %s", id, read.Raw)
	}
	errs := []error{refusesOthers(t, id, name, caller, legal)}
	for _, command := range legal {
		errs = append(errs, applies(t, state, id+"-"+command.(string), name, caller, command.(string)))
	}
	return errors.Join(errs...)
}

// applies requires that a command is applied to a new interaction in the state.
func applies(t *testing.T, state interaction.State, id, name, caller, command string) error {
	if err := begin(t, state, id); err != nil {
		return err
	}
	path, payload := "/v1/interactions/"+id+"/commands/"+command, payloadOf(command, name)
	if a := send(t, elsewhere, http.MethodPost, path, payload); a.Status != http.StatusNotFound {
		return fmt.Errorf("%s: another contact center: %s", id, a.Raw)
	}
	if a := send(t, caller, http.MethodPost, path, payload); a.Status != http.StatusOK {
		return fmt.Errorf("%s: %d: %s", id, a.Status, a.Raw)
	}
	return nil
}

// refusesOthers requires that all commands but the legal ones are refused. They change nothing, so one
// interaction is enough for all of them.
func refusesOthers(t *testing.T, id, name, caller string, legal []any) error {
	var array, sent []string
	for _, command := range interaction.Commands() {
		if !slices.Contains(legal, any(command)) {
			array = append(array, strings.Replace(payloadOf(command, name), "{", fmt.Sprintf(`{"command":%q,`, command), 1))
			sent = append(sent, command)
		}
	}
	a := send(t, caller, http.MethodPost, "/v1/interactions/"+id+"/commands", strings.ReplaceAll("["+strings.Join(array, ",")+"]", ",}", "}"))
	if a.Problem() == "completed" {
		return nil
	}
	var results []struct {
		Error struct {
			Type string `json:"type"`
		} `json:"error"`
	}
	if err := json.Unmarshal(a.Raw, &results); err != nil {
		return fmt.Errorf("%s: %s", id, a.Raw)
	}
	for i, result := range results {
		if result.Error.Type != "urn:segue:illegal-command" && result.Error.Type != "urn:segue:not-permitted" {
			return fmt.Errorf("%s: %s is not refused: %s", id, sent[i], a.Raw)
		}
	}
	return nil
}

// payloadOf returns the documented example of a command, with ann as its agent. Agents leave out who acts: they do.
func payloadOf(command, name string) string {
	operation, _ := published().operation(http.MethodPost, "/v1/interactions/x/commands/"+command)
	media := operation["requestBody"].(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)
	example, _ := media["example"].(map[string]any)
	payload := map[string]any{}
	for key, value := range example {
		if key != "agent" || !slices.Contains([]string{"accept", "reject", "leave"}, command) || name != "ann" && name != "bob" {
			payload[key] = value
		}
	}
	encoded, err := json.Marshal(payload)
	if err != nil {
		return "{}"
	}
	return strings.ReplaceAll(string(encoded), `"ada"`, `"ann"`)
}
