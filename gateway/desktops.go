package gateway

import (
	"context"
	"fmt"

	"segue/bus"
	"segue/config"
	"segue/delivery"
	"segue/gateway/desktop"
	"segue/gateway/desktop/view"
	"segue/gateway/offers"
)

// prepareOffers makes the source of scripts and dispositions that a configured call lists.
func (f *faces) prepareOffers(o Options, set *config.Set) error {
	guard, err := set.Guard.Build(o.Allow...)
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	f.allow = o.Allow
	f.caller = delivery.New(delivery.Options{Guard: guard, Log: o.Log, Metrics: o.instruments()})
	f.asked.Store(askedCall(set))
	f.offers = offers.New(offers.Options{Sender: f.caller, Log: o.Log, Call: f.asked.Load})
	return nil
}

// askedCall returns the call of a configuration that lists scripts and dispositions; nil for none.
func askedCall(set *config.Set) *config.Call {
	call, _ := set.Call(set.Desktop.Call)
	return call
}

// ask returns what the configured call lists for a contact center.
func (f *faces) ask(ctx context.Context, contactCenter string) (desktop.Offer, error) {
	list, err := f.offers.Get(ctx, contactCenter)
	if err != nil {
		return desktop.Offer{}, err
	}
	return offerOf(list), nil
}

// desktopSettings are those of /his in a configuration.
func desktopSettings(set config.Desktop) desktop.Settings {
	return desktop.Settings{IsAsked: set.Call != "", Offer: offerOf(set)}
}

// offerOf returns what desktops offer. A channel of a desktop stands for several of Segue.
func offerOf(set config.Desktop) desktop.Offer {
	var s desktop.Offer
	for _, script := range set.Scripts {
		s.Scripts = append(s.Scripts, desktop.Script{Type: view.TypeOf(script.Channel), ID: script.ID, Name: script.Name})
	}
	for _, d := range set.Dispositions {
		shown := view.Disposition{Type: view.TypeOf(d.Channel), ID: d.ID, Value: d.Value, Extensions: []string{}, Labels: []view.Label{}}
		for _, label := range d.Labels {
			shown.Labels = append(shown.Labels, view.Label(label))
		}
		s.Dispositions = append(s.Dispositions, shown)
	}
	return s
}

// sessionsOf returns the sessions of agents for other replicas; nil without a bus.
func sessionsOf(c *bus.Conn) *bus.Sessions {
	if c == nil {
		return nil
	}
	return c.Sessions()
}
