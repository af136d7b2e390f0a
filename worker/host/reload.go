package host

import (
	"log/slog"
	"reflect"
	"slices"

	"segue/config"
	"segue/delivery"
	"segue/metrics"
	"segue/reload"
)

// newReloader returns the reloader of a worker. Calls, triggers, timeouts and limits are read from the
// current set itself; what is applied is the dial guard.
func newReloader(o Options, sender *delivery.Sender) *reload.Reloader {
	w := &guarded{sender: sender, allow: o.Allow, metrics: o.instruments(), log: o.Log}
	return reload.New(reload.Options{
		Store: o.Config, Prepare: w.prepare, Apply: w.apply,
		Missing: (*config.Set).MissingSecrets,
		Warning: "a secret is missing; requests of the call are not sent until it exists",
		Metrics: o.instruments(), Level: o.Level, Log: o.Log,
	})
}

// guarded is what a worker applies of a configuration.
type guarded struct {
	sender  *delivery.Sender
	allow   []string // what calls may reach besides what the configuration allows
	metrics *metrics.Instruments
	log     *slog.Logger
}

// prepare makes the guard allow what either set allows: calls of the next set are sent as
// soon as it is active, and a request that the guard blocks is parked.
func (w *guarded) prepare(before, next *config.Set) error {
	if reflect.DeepEqual(before.Guard, next.Guard) {
		return nil
	}
	if _, err := guardOf(next.Guard, w.allow); err != nil {
		return err
	}
	both := next.Guard
	both.Allow = slices.Concat(before.Guard.Allow, next.Guard.Allow)
	guard, err := guardOf(both, w.allow)
	if err != nil {
		return err
	}
	w.sender.SetGuard(guard)
	return nil
}

// apply makes the guard allow what the next set allows, and shows its calls in the metrics.
func (w *guarded) apply(before, next *config.Set) {
	if !reflect.DeepEqual(before.Guard, next.Guard) {
		guard, err := guardOf(next.Guard, w.allow)
		if err != nil {
			w.log.Error("the dial guard still allows what the configuration before allowed", "error", err) // prepare has created the same guard
		} else {
			w.sender.SetGuard(guard)
		}
	}
	var calls []string
	for _, c := range next.Calls() {
		calls = append(calls, c.Name)
	}
	w.metrics.Begin(calls)
}

// guardOf returns the guard of a configuration; also lists what may be reached besides what
// the configuration allows.
func guardOf(g config.Guard, also []string) (*delivery.Guard, error) {
	return g.Build(also...)
}
