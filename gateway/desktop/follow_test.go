package desktop_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
)

// lose has what the given function does be missed by the reader of the changes, which begins again after it.
func (w *world) lose(do func()) {
	w.mu.Lock()
	grown := w.grown
	w.resync = true
	w.grown = make(chan struct{}) // nobody is woken by the changes that are lost
	w.mu.Unlock()
	do()
	close(grown)
}

func TestLostChangesAreMergedIntoOne(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	w.start("i1", "inbound", `offer {"agent":"ann"}`)
	c.events(11)
	w.lose(func() {
		w.do("i1", `accept {"agent":"ann"}`, `hold {"agent":"ann"}`, `update_user_data {"user_data":{"k":1}}`)
		w.start("i2", "inbound", `offer {"agent":"ann"}`)
	})
	events := c.events(3 + 10)
	require.Equal(t, again("c-1", "i2", "ALERTING", "ALERTING"), only(events, "c-1.i2", "c-1"))
	require.Equal(t, []string{"state HELD c-1.i1.p", "state STARTED c-1.i1", "interaction.datachanged c-1.i1"}, only(events, "c-1.i1"))
	c.succeeds("conversation.retrieve", "c-1.i1.p", `{}`)
	require.Equal(t, []string{"state ACTIVE c-1.i1.p"}, c.events(1), "the reader goes on, and tells nothing twice")
}

// TestAChannelChangesItsStateWithTheFirstAndTheLastInteraction: what is no change is not sent.
func TestAChannelChangesItsStateWithTheFirstAndTheLastInteraction(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	w.start("i1", "inbound", `offer {"agent":"ann"}`)
	require.Equal(t, eleven("c-1", "i1", "ALERTING", "ALERTING"), c.events(11))
	w.start("i2", "inbound", `offer {"agent":"ann"}`)
	require.Equal(t, again("c-1", "i2", "ALERTING", "ALERTING"), c.events(10))
	w.do("i1", `abandon`)
	require.Equal(t, []string{"state ENDED c-1.i1.p", "conversation.disposed c-1.i1.p", "state ENDED c-1.i1", "interaction.ended c-1.i1",
		"channel.infochanged c-1"}, c.events(5))
	w.do("i2", `abandon`)
	require.Equal(t, []string{"state ENDED c-1.i2.p", "conversation.disposed c-1.i2.p", "state ENDED c-1.i2", "interaction.ended c-1.i2",
		"channel.infochanged c-1", "state INACTIVE c-1"}, c.events(6))
}

// again are the events of a call that comes to a channel which shows another one: the channel is ACTIVE already.
func again(channel, id, interaction, conversation string) []string {
	return slices.Delete(eleven(channel, id, interaction, conversation), 1, 2)
}

func TestAnInteractionThatEndedUnseenEnds(t *testing.T) {
	for name, end := range map[string]func(w *world){
		"completed": func(w *world) { w.do("i1", `complete`) },
		"gone": func(w *world) {
			w.mu.Lock()
			defer w.mu.Unlock()
			delete(w.interactions, client.Name{ContactCenter: cc, ID: "i1"})
		},
		"elsewhere": func(w *world) { w.do("i1", `place_in_queue {"queue":"q"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.telephone("ann")
			w.start("i1", "inbound", `offer {"agent":"ann"}`)
			c.events(11)
			w.lose(func() { end(w) })
			require.Equal(t, []string{"state ENDED c-1.i1.p", "conversation.disposed c-1.i1.p", "state ENDED c-1.i1", "interaction.ended c-1.i1",
				"channel.infochanged c-1", "state INACTIVE c-1"}, c.events(6))
		})
	}
}

// only returns the events of objects: those whose target is one of the given, or below the first.
func only(events []string, targets ...string) []string {
	var found []string
	for _, line := range events {
		for n, target := range targets {
			if hasTarget(line, target, n == 0) {
				found = append(found, line)
				break
			}
		}
	}
	return found
}

func hasTarget(line, target string, orBelow bool) bool {
	last := line[strings.LastIndexByte(line, ' ')+1:]
	return last == target || orBelow && strings.HasPrefix(last, target+".")
}
