package host

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"sync"
	"time"

	"segue/config"
	"segue/delivery"
	"segue/metrics"
)

// maxLogged is how many errors of a configuration are logged; /readyz has all.
const maxLogged = 10

// ConfigurationHealth is the state of a process's configuration.
type ConfigurationHealth struct {
	Version string `json:"version"`
	File    string `json:"file,omitempty"`
	// LoadedAt is when the current configuration was loaded.
	LoadedAt   time.Time     `json:"loaded_at"`
	LastReload *ReloadHealth `json:"last_reload,omitempty"`
	// MissingSecrets are references to secrets that do not exist.
	MissingSecrets config.Errors `json:"missing_secrets,omitempty"`
	// NeedsRestart names settings that have changed since the start of the process and take
	// effect only after a restart.
	NeedsRestart []string `json:"needs_restart,omitempty"`
}

// ReloadHealth is the result of a reload.
type ReloadHealth struct {
	At      time.Time       `json:"at"`
	Outcome metrics.Outcome `json:"outcome"`
	// Errors are why the configuration was rejected, with field, value, line and remedy.
	Errors config.Errors `json:"errors,omitempty"`
}

// reloader reloads the configuration of a process, and applies it.
type reloader struct {
	store   *config.Store
	started *config.Set
	sender  *delivery.Sender
	allow   []string // what calls may reach besides what the configuration allows
	metrics *metrics.Instruments
	level   *slog.LevelVar
	log     *slog.Logger

	mu     sync.Mutex // one reload at a time
	health ConfigurationHealth
	logged string // the errors that were logged last
}

func newReloader(o Options, sender *delivery.Sender) *reloader {
	r := &reloader{store: o.Config, started: o.Config.Current(), sender: sender, allow: o.Allow, metrics: o.instruments(), level: o.Level, log: o.Log}
	r.noteCurrent(r.started)
	return r
}

// run reloads when the file has changed and when a signal arrives on requested.
func (r *reloader) run(ctx context.Context, requested <-chan os.Signal) {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { r.store.Watch(ctx, r.log, r.reload) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-requested:
			r.reload()
		}
	}
}

// reload loads the configuration again and applies it.
func (r *reloader) reload() {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.store.Current()
	next, err := r.store.Reload(func(next *config.Set) error { return r.prepare(before, next) })
	done := &ReloadHealth{At: time.Now().UTC(), Outcome: metrics.Loaded}
	switch {
	case err != nil:
		done.Outcome, done.Errors = metrics.Rejected, errorsOf(err)
		r.logErrors(done.Errors)
	case next == before:
		done.Outcome = metrics.Unchanged
		r.log.Debug("configuration reloaded, nothing has changed", "version", next.Version)
	default:
		r.apply(before, next)
		r.log.Info("configuration loaded", "version", next.Version, "before", before.Version)
	}
	if err == nil {
		r.logged = ""
	}
	r.health.LastReload = done
	r.metrics.Reloaded(done.Outcome)
}

// prepare makes the guard allow what either set allows: calls of the next set are sent as
// soon as it is active, and a request that the guard blocks is parked.
func (r *reloader) prepare(before, next *config.Set) error {
	if reflect.DeepEqual(before.Guard, next.Guard) {
		return nil
	}
	if _, err := guardOf(next.Guard, r.allow); err != nil {
		return err
	}
	both := next.Guard
	both.Allow = slices.Concat(before.Guard.Allow, next.Guard.Allow)
	guard, err := guardOf(both, r.allow)
	if err != nil {
		return err
	}
	r.sender.SetGuard(guard)
	return nil
}

// apply applies a new set. Calls, triggers, timeouts and limits are read from the set
// itself.
func (r *reloader) apply(before, next *config.Set) {
	if !reflect.DeepEqual(before.Guard, next.Guard) {
		guard, err := guardOf(next.Guard, r.allow)
		if err != nil {
			r.log.Error("the dial guard still allows what the configuration before allowed", "error", err) // prepare has created the same guard
		} else {
			r.sender.SetGuard(guard)
		}
	}
	r.noteCurrent(next)
}

// noteCurrent notes the current set, and logs which of its settings have no effect yet.
func (r *reloader) noteCurrent(set *config.Set) {
	r.health.Version, r.health.File, r.health.LoadedAt = set.Version, set.File, time.Now().UTC()
	r.health.MissingSecrets = set.MissingSecrets()
	for _, e := range first(r.health.MissingSecrets) {
		r.log.Warn("a secret is missing; requests of the call are not sent until it exists", located(e)...)
	}
	r.health.NeedsRestart = set.NeedsRestart(r.started)
	for _, setting := range r.health.NeedsRestart {
		r.log.Warn("a changed setting takes effect after a restart; restart the process", "setting", setting)
	}
	if r.level != nil {
		if err := r.level.UnmarshalText([]byte(set.Log.Level)); err != nil {
			r.log.Error("the log level is unchanged", "error", err)
		}
	}
	var calls []string
	for _, c := range set.Calls() {
		calls = append(calls, c.Name)
	}
	r.metrics.Begin(calls)
}

// logErrors logs the errors of a configuration, unless they were logged last time.
func (r *reloader) logErrors(mistakes config.Errors) {
	last := r.logged
	if r.logged = mistakes.Error(); r.logged == last {
		return
	}
	for _, e := range first(mistakes) {
		r.log.Error("configuration rejected, the current one stays active", append(located(e), "version", r.health.Version)...)
	}
}

// recheck looks again for missing secrets: a file may exist now.
func (r *reloader) recheck() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health.MissingSecrets = r.store.Current().MissingSecrets()
}

func (r *reloader) status() ConfigurationHealth {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.health
}

// isGood reports whether the current configuration is that of the file.
func (h ConfigurationHealth) isGood() bool {
	return h.LastReload == nil || h.LastReload.Outcome != metrics.Rejected
}

// errorsOf returns any error as errors of a configuration.
func errorsOf(err error) config.Errors {
	if mistakes, ok := errors.AsType[config.Errors](err); ok {
		return mistakes
	}
	return config.Errors{{Problem: err.Error()}}
}

func first(mistakes config.Errors) config.Errors { return mistakes[:min(len(mistakes), maxLogged)] }

// located returns the parts of an error as attributes for the log.
func located(e config.Error) []any {
	parts := []any{"problem", e.Problem}
	for _, part := range []struct{ name, value string }{
		{"field", e.Path}, {"value", e.Value}, {"remedy", e.Remedy}, {"file", e.File},
	} {
		if part.value != "" {
			parts = append(parts, part.name, part.value)
		}
	}
	if e.Line > 0 {
		parts = append(parts, "line", e.Line)
	}
	return parts
}

// guardOf returns the guard of a configuration; also lists what may be reached besides what
// the configuration allows.
func guardOf(g config.Guard, also []string) (*delivery.Guard, error) {
	guard, err := delivery.NewGuard(slices.Concat(g.Allow, also))
	if err == nil {
		guard, err = guard.Through(g.Proxy)
	}
	return guard, err
}
