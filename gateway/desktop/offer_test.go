package desktop_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/desktop"
	"segue/gateway/desktop/view"
)

// receiver is what a configured call lists; nothing while it fails.
type receiver struct {
	mu    sync.Mutex
	offer *desktop.Offer
	asked []string
}

func (r *receiver) ask(_ context.Context, contactCenter string) (desktop.Offer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, contactCenter)
	if r.offer == nil {
		return desktop.Offer{}, errors.New("secret")
	}
	return *r.offer, nil
}

func (r *receiver) set(offer *desktop.Offer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offer = offer
}

func selling(value string) *desktop.Offer {
	return &desktop.Offer{Scripts: []desktop.Script{{Type: view.Telephony, ID: "s9", Name: "Asked"}},
		Dispositions: []view.Disposition{{Type: view.Telephony, ID: "d9", Value: value, Extensions: []string{}, Labels: []view.Label{}}}}
}

func asking(r *receiver) func(*desktop.Options) { return func(o *desktop.Options) { o.Ask = r.ask } }

func TestAConfiguredCallListsScriptsAndDispositions(t *testing.T) {
	r := &receiver{offer: selling("SOLD")}
	w := newWorld(t, asking(r))
	w.server.Configure(desktop.Settings{IsAsked: true})
	c := w.telephone("ann")
	answer := c.succeeds("channel.incontact.getscripts", "c-1", `{}`)
	require.Equal(t, object{"scripts": []any{object{"scriptId": "s9", "scriptName": "Asked"}}}, answer["data"])
	w.start("i1", "inbound", `offer {"agent":"ann"}`, `accept {"agent":"ann"}`)
	c.events(13)
	c.succeeds("interaction.setdisposition", "c-1.i1", `{"interactionDispositionId":"d9"}`)
	require.Equal(t, "SOLD", at(c.event(), "data", "disposition", "value"))

	r.set(selling("WON"))
	c.succeeds("channel.incontact.getscripts", "c-1", `{}`)
	changed := c.event()
	require.Equal(t, "channel.externaldispositions.updated", changed["name"])
	require.Contains(t, at(changed, "data", "dispositions").([]any)[0], "value")
	c.fails("INVALID_REQUEST", "interaction.setdisposition", "c-1.i1", `{"interactionDispositionId":"d1"}`)
	for _, center := range r.asked {
		require.Equal(t, cc, center)
	}
}

// TestACallThatFailsEndsNoSession: what was known stays, and a failure says that the lists are not known.
func TestACallThatFailsEndsNoSession(t *testing.T) {
	r := &receiver{}
	w := newWorld(t, asking(r))
	w.server.Configure(desktop.Settings{IsAsked: true})
	c := w.telephone("ann")
	w.start("i1", "inbound", `offer {"agent":"ann"}`, `accept {"agent":"ann"}`)
	c.events(13)
	require.NotContains(t, c.fails("UNAVAILABLE", "channel.incontact.getscripts", "c-1", `{}`)["failure"], "secret")
	c.fails("UNAVAILABLE", "interaction.setdisposition", "c-1.i1", `{"interactionDispositionId":"d9"}`)
	c.succeeds("interaction.setdisposition", "c-1.i1", `{"value":"OWN"}`)
	c.events(1)

	r.set(selling("SOLD"))
	w.server.Configure(desktop.Settings{IsAsked: true}) // as a reload does
	require.Equal(t, "channel.externaldispositions.updated c-1", c.events(1)[0])
	r.set(nil)
	c.fails("UNAVAILABLE", "channel.incontact.getscripts", "c-1", `{}`)
	c.succeeds("interaction.setdisposition", "c-1.i1", `{"interactionDispositionId":"d9"}`)
	require.Equal(t, "SOLD", at(c.event(), "data", "disposition", "value"))

	w.server.Configure(settings) // the configuration lists them itself
	require.Equal(t, "channel.externaldispositions.updated c-1", c.events(1)[0])
	c.succeeds("channel.incontact.getscripts", "c-1", `{}`)
}

// TestAReloadToACallIsOneChange: clients keep the dispositions that they know until the call has answered, and never
// get an empty list or one of an earlier configuration.
func TestAReloadToACallIsOneChange(t *testing.T) {
	r := &receiver{}
	w := newWorld(t, asking(r))
	c := w.telephone("ann")
	changed := func(value string) {
		t.Helper()
		e := c.event()
		require.Equal(t, "channel.externaldispositions.updated", e["name"])
		list, _ := at(e, "data", "dispositions").([]any)
		require.Len(t, list, 1)
		require.Equal(t, value, at(list[0], "value"))
	}
	r.set(selling("ASKED"))
	w.server.Configure(desktop.Settings{IsAsked: true})
	changed("ASKED")
	w.server.Configure(settings)
	changed("SOLD")
	w.server.Configure(settings)

	r.set(nil)
	w.server.Configure(desktop.Settings{IsAsked: true})
	c.fails("UNAVAILABLE", "channel.incontact.getscripts", "c-1", `{}`)
	c.succeeds("session.addchannel", "", `{"channel":{"endpoint":"x2","type":"Telephony"}}`)
	require.Equal(t, []string{"channel.initialized c-2", "state INACTIVE c-2"}, c.events(2), "nothing was sent for the reload")
	changed("SOLD")
	r.set(selling("AGAIN"))
	c.succeeds("channel.incontact.getscripts", "c-1", `{}`)
	changed("AGAIN")
	changed("AGAIN") // of the other channel
}
