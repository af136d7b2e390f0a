package commands_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/contract"
	"segue/gateway/commands"
	"segue/interaction"
)

func TestACommandForAnIdleInteractionGoesAtOnceByItsName(t *testing.T) {
	to := &target{}
	var sizes []int
	s := commands.NewTo(to, func(n int) { sizes = append(sizes, n) })
	answer, err := s.Send(t.Context(), name, "dtmf", dtmf("e1"))
	require.NoError(t, err)
	require.Equal(t, commands.Answer{Answer: contract.Answer{State: "e1"}, RunID: "run-1"}, answer)
	require.Equal(t, "dtmf", to.updates[0].Name)
	require.JSONEq(t, string(dtmf("e1")), string(to.updates[0].Payload))
	require.NotEmpty(t, to.updates[0].ID)
	require.Equal(t, []int{1}, sizes)
}

func TestWhatArrivesMeanwhileGoesTogetherAsTheNextUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, release := hold()
		to.refuse = func(id string) *contract.CommandError {
			if id != "e3" {
				return nil
			}
			return &contract.CommandError{Type: contract.ErrorIllegalCommand, Message: "no", Refusal: contract.Refusal{Why: interaction.WhyAgent}}
		}
		s := commands.NewTo(to, nil)
		got := map[string]<-chan outcome{}
		for _, id := range []string{"e1", "e2", "e3", "e4"} {
			got[id] = send(t.Context(), s, id)
			synctest.Wait()
		}
		release <- nil
		require.Equal(t, interaction.State("e1"), (<-got["e1"]).answer.State)
		synctest.Wait()
		require.Equal(t, [][]string{{"e1"}, {"e2", "e3", "e4"}}, to.sentIDs())
		require.Equal(t, contract.UpdateCommands, to.updates[1].Name)
		require.Contains(t, string(to.updates[1].Payload), `{"command":"dtmf","digits":"1","event_id":"e2"}`)
		require.NotEqual(t, to.updates[0].ID, to.updates[1].ID)
		release <- nil
		require.Equal(t, interaction.State("e2"), (<-got["e2"]).answer.State)
		require.Equal(t, interaction.State("e4"), (<-got["e4"]).answer.State)
		var refused *client.RefusedError
		require.ErrorAs(t, (<-got["e3"]).err, &refused)
		require.Equal(t, interaction.WhyAgent, refused.Why)
		synctest.Wait()
		requireIdle(t, s)
	})
}

func TestInteractionsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, release := hold()
		s := commands.NewTo(to, nil)
		first := send(t.Context(), s, "e1")
		synctest.Wait()
		go func() { _, _ = s.Send(t.Context(), client.Name{ContactCenter: "cc", ID: "i2"}, "dtmf", dtmf("e2")) }()
		synctest.Wait()
		require.Len(t, to.sentIDs(), 2)
		release <- nil
		release <- nil
		<-first
	})
}

func TestGroupsAreBounded(t *testing.T) {
	large := func(id string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"command":"dtmf","digits":"1","event_id":%q,"note":%q}`, id, strings.Repeat("x", 100<<10)))
	}
	many := func(n int, prefix string) []json.RawMessage {
		var list []json.RawMessage
		for i := range n {
			list = append(list, element(fmt.Sprintf("%s%d", prefix, i)))
		}
		return list
	}
	for title, test := range map[string]struct {
		arrays [][]json.RawMessage
		groups []int
	}{
		"two hundred":                 {[][]json.RawMessage{many(150, "a"), many(50, "b"), many(1, "c")}, []int{200, 1}},
		"an array stays whole":        {[][]json.RawMessage{many(1, "a"), many(1000, "b"), many(1, "c")}, []int{1, 1000, 1}},
		"256 KiB":                     {[][]json.RawMessage{{large("a")}, {large("b")}, {large("c")}}, []int{2, 1}},
		"an array over that is whole": {[][]json.RawMessage{{large("a"), large("b"), large("c"), large("d")}, many(1, "e")}, []int{4, 1}},
	} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				to, release := hold()
				s := commands.NewTo(to, nil)
				send(t.Context(), s, "first")
				synctest.Wait()
				for _, array := range test.arrays {
					go func() {
						results, err := s.SendAll(t.Context(), name, array)
						require.NoError(t, err)
						require.Len(t, results, len(array))
						for i, result := range results {
							require.Equal(t, interaction.State(eventIDOf(array[i])), result.Answer.State)
						}
					}()
					synctest.Wait()
				}
				for range len(test.groups) + 1 {
					release <- nil
					synctest.Wait()
				}
				var sizes []int
				for _, ids := range to.sentIDs()[1:] {
					sizes = append(sizes, len(ids))
				}
				require.Equal(t, test.groups, sizes)
				requireIdle(t, s)
			})
		})
	}
}

func TestAMalformedCommandIsNotSent(t *testing.T) {
	to := &target{}
	s := commands.NewTo(to, nil)
	for title, test := range map[string]struct {
		command, payload string
		why              interaction.Why
		field            string
	}{
		"unknown":   {"acept", `{}`, interaction.WhyUnknown, ""},
		"missing":   {"dtmf", `{}`, interaction.WhyMissing, "digits"},
		"invalid":   {"dtmf", `{"digits":true}`, interaction.WhyInvalid, "digits"},
		"too large": {"dtmf", `{"digits":"1","x":"` + strings.Repeat("x", 260<<10) + `"}`, interaction.WhyTooLarge, ""},
		"no object": {"dtmf", `[]`, interaction.WhyInvalid, ""},
	} {
		t.Run(title, func(t *testing.T) {
			_, err := s.Send(t.Context(), name, test.command, json.RawMessage(test.payload))
			var refused *client.RefusedError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, test.why, refused.Why)
			require.Equal(t, test.field, refused.Field)
			require.Equal(t, contract.ErrorInvalidPayload, refused.Type)
		})
	}
	require.Empty(t, to.updates)
}

func TestAMalformedElementDoesNotFailOthers(t *testing.T) {
	to := &target{}
	s := commands.NewTo(to, nil)
	results, err := s.SendAll(t.Context(), name, []json.RawMessage{
		json.RawMessage(`{"Command":"dtmf"}`), element("e1"), json.RawMessage(`7`), json.RawMessage(`{"command":"acept"}`), element("e2"),
	})
	require.NoError(t, err)
	for i, why := range []interaction.Why{interaction.WhyMissing, "", interaction.WhyMissing, interaction.WhyUnknown, ""} {
		var refused *client.RefusedError
		if why != "" {
			require.ErrorAs(t, results[i].Err, &refused)
			require.Equal(t, why, refused.Why)
		}
	}
	require.Equal(t, interaction.State("e1"), results[1].Answer.State)
	require.Equal(t, interaction.State("e2"), results[4].Answer.State)
	require.Equal(t, [][]string{{"e1", "e2"}}, to.sentIDs())

	results, err = s.SendAll(t.Context(), name, []json.RawMessage{json.RawMessage(`{}`)})
	require.NoError(t, err)
	require.Error(t, results[0].Err)
	_, err = s.SendAll(t.Context(), name, make([]json.RawMessage, 1001))
	require.ErrorContains(t, err, "1001 commands; send at most 1000")
	require.Len(t, to.updates, 1)
}

// A command that is ahead of its number must not hold back the one it waits for.
func TestANumberedCommandGoesWithNoWait(t *testing.T) {
	to := &target{}
	s := commands.NewTo(to, nil)
	_, err := s.Send(t.Context(), name, "dtmf", json.RawMessage(` {"digits":"1","event_id":"e1","source_sequence":2} `))
	require.NoError(t, err)
	require.Equal(t, contract.UpdateCommands, to.updates[0].Name)
	require.JSONEq(t, `[{"command":"dtmf","no_wait":true,"digits":"1","event_id":"e1","source_sequence":2}]`, string(to.updates[0].Payload))
	_, err = s.SendAll(t.Context(), name, []json.RawMessage{
		element("e2"), json.RawMessage(`{"command":"dtmf","digits":"2","source_sequence":1,"event_id":"e3","no_wait":false}`),
	})
	require.NoError(t, err)
	require.JSONEq(t, `[{"command":"dtmf","digits":"1","event_id":"e2"},
		{"command":"dtmf","no_wait":true,"digits":"2","event_id":"e3","source_sequence":1}]`, string(to.updates[1].Payload))
}

// A payload may have a field of its own that is called command.
func TestACommandWithAFieldCalledCommandGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, release := hold()
		s := commands.NewTo(to, nil)
		send(t.Context(), s, "e1")
		synctest.Wait()
		send(t.Context(), s, "e2")
		synctest.Wait()
		go func() {
			_, err := s.Send(t.Context(), name, "dtmf", json.RawMessage(`{"digits":"1","event_id":"e3","command":"mine"}`))
			require.NoError(t, err)
		}()
		synctest.Wait()
		send(t.Context(), s, "e4")
		for range 4 {
			synctest.Wait()
			release <- nil
		}
		synctest.Wait()
		require.Equal(t, [][]string{{"e1"}, {"e2"}, {"e3"}, {"e4"}}, to.sentIDs())
		require.Equal(t, "dtmf", to.updates[2].Name)
	})
}

func TestWhatWasNotSentIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, release := hold()
		s := commands.NewTo(to, nil)
		impatient, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		first := send(impatient, s, "e1")
		synctest.Wait()
		second := send(impatient, s, "e2")
		synctest.Wait()
		third := send(t.Context(), s, "e3")
		synctest.Wait()
		require.True(t, to.updates[0].Wanted())
		began := time.Now()
		err := (<-second).err
		require.ErrorIs(t, err, client.ErrNoWorker)
		require.ErrorContains(t, err, "it was not sent")
		err = (<-first).err
		require.ErrorIs(t, err, client.ErrNoWorker)
		require.ErrorContains(t, err, "its outcome is open")
		require.Equal(t, 10*time.Second, time.Since(began))
		require.False(t, to.updates[0].Wanted(), "nobody waits for it, so it is not sent again")
		release <- nil
		synctest.Wait()
		release <- nil
		require.NoError(t, (<-third).err)
		require.Equal(t, [][]string{{"e1"}, {"e3"}}, to.sentIDs())
		synctest.Wait()
		requireIdle(t, s)

		gone, leave := context.WithCancel(t.Context())
		leave()
		require.ErrorIs(t, (<-send(gone, s, "e4")).err, context.Canceled)
		require.Len(t, to.sentIDs(), 2)
	})
}

func TestTheNextGroupWaitsThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, release := hold()
		s := commands.NewTo(to, nil)
		began := time.Now()
		first := send(t.Context(), s, "e1")
		synctest.Wait()
		second := send(t.Context(), s, "e2")
		require.ErrorIs(t, (<-first).err, client.ErrNoWorker)
		require.Equal(t, commands.GroupWait, time.Since(began))
		synctest.Wait()
		release <- nil
		require.NoError(t, (<-second).err)
	})
}

func TestTheQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, release := hold()
		s := commands.NewTo(to, nil)
		send(t.Context(), s, "first")
		synctest.Wait()
		array := make([]json.RawMessage, 1000)
		for i := range array {
			array[i] = element(fmt.Sprint(i))
		}
		for range 2 {
			go func() { _, _ = s.SendAll(t.Context(), name, array) }()
		}
		synctest.Wait()
		var refused *client.RefusedError
		require.ErrorAs(t, (<-send(t.Context(), s, "one too many")).err, &refused)
		require.Equal(t, contract.ErrorOverloaded, refused.Type)
		for range 3 {
			release <- nil
			synctest.Wait()
		}
		requireIdle(t, s)
	})
}

func TestAGroupThatFailsFailsEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, release := hold()
		s := commands.NewTo(to, nil)
		send(t.Context(), s, "e1")
		synctest.Wait()
		second, third := send(t.Context(), s, "e2"), send(t.Context(), s, "e3")
		synctest.Wait()
		release <- nil
		synctest.Wait()
		release <- fmt.Errorf("cc/i1 %w", client.ErrNotFound)
		require.ErrorIs(t, (<-second).err, client.ErrNotFound)
		require.ErrorIs(t, (<-third).err, client.ErrNotFound)
	})
}

func TestARepeatForACompletedInteractionIsADuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, release := hold()
		to.known = map[string]bool{"e1": true, "e3": true}
		closed := &client.CompletedError{Name: name, Last: &contract.State{RunID: "run-9"}}
		s := commands.NewTo(to, nil)
		first := send(t.Context(), s, "e1")
		synctest.Wait()
		second := send(t.Context(), s, "e2")
		synctest.Wait()
		var results []commands.Result
		done := make(chan error, 1)
		go func() {
			var err error
			results, err = s.SendAll(t.Context(), name, []json.RawMessage{element("e3"), element("e4")})
			done <- err
		}()
		synctest.Wait()
		release <- closed
		synctest.Wait()
		release <- closed
		got := <-first
		require.NoError(t, got.err)
		require.True(t, got.answer.Duplicate)
		require.Equal(t, "run-9", got.answer.RunID)
		require.ErrorIs(t, (<-second).err, client.ErrCompleted)
		require.NoError(t, <-done)
		require.True(t, results[0].Answer.Duplicate)
		require.ErrorIs(t, results[1].Err, client.ErrCompleted)
		require.Equal(t, 1, to.reads, "the history of a closed run is read once")
	})
}

func TestAStartIsCheckedAndWaitsForWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, release := hold()
		s := commands.NewTo(to, nil)
		_, err := s.Start(t.Context(), name, json.RawMessage(`{"id":"i1","contact_center":"cc","channel":"fax"}`), nil)
		var refused *client.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "channel", refused.Field)

		send(t.Context(), s, "e1")
		synctest.Wait()
		start := json.RawMessage(`{"id":"i1","contact_center":"cc","channel":"chat"}`)
		done := make(chan error, 1)
		var started commands.Started
		go func() {
			var err error
			started, err = s.Start(t.Context(), name, start, []json.RawMessage{element("e2"), json.RawMessage(`{}`)})
			done <- err
		}()
		synctest.Wait()
		require.Empty(t, to.opened)
		release <- nil
		require.NoError(t, <-done)
		require.Len(t, to.opened[0].Commands, 1)
		require.Equal(t, "run-1", started.RunID)
		require.Len(t, started.Results, 2)
		require.NoError(t, started.Results[0].Err)
		require.Error(t, started.Results[1].Err)
	})
}
