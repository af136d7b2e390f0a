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

// maxLogged is how many mistakes of a configuration are logged; /readyz has all.
const maxLogged = 10

// ConfigurationHealth is how the configuration of a process stands.
type ConfigurationHealth struct {
	Version string `json:"version"`
	File    string `json:"file,omitempty"`
	// LoadedAt is when the set in force was read.
	LoadedAt   time.Time     `json:"loaded_at"`
	LastReload *ReloadHealth `json:"last_reload,omitempty"`
	// MissingSecrets are references that lead to no secret.
	MissingSecrets config.Errors `json:"missing_secrets,omitempty"`
	// NeedsRestart names settings that have changed since the process was started with
	// others.
	NeedsRestart []string `json:"needs_restart,omitempty"`
}

// ReloadHealth is what became of reading the configuration again.
type ReloadHealth struct {
	At      time.Time       `json:"at"`
	Outcome metrics.Outcome `json:"outcome"`
	// Errors say why it was rejected, with field, value, line and remedy.
	Errors config.Errors `json:"errors,omitempty"`
}

// reloader keeps the configuration of a process up to date, and whatever follows it.
type reloader struct {
	store   *config.Store
	started *config.Set
	sender  *delivery.Sender
	allow   []string // what calls may reach beside what the configuration allows
	metrics *metrics.Instruments
	level   *slog.LevelVar
	log     *slog.Logger

	mu     sync.Mutex // one reload at a time
	health ConfigurationHealth
	said   string // why the last one was rejected
}

func newReloader(o Options, sender *delivery.Sender) *reloader {
	r := &reloader{store: o.Config, started: o.Config.Current(), sender: sender, allow: o.Allow, metrics: o.instruments(), level: o.Level, log: o.Log}
	r.inForce(r.started)
	return r
}

// run reloads when the file has changed and when somebody asks for it.
func (r *reloader) run(ctx context.Context, asked <-chan os.Signal) {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { r.store.Watch(ctx, r.log, r.reload) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			r.reload()
		}
	}
}

// reload reads the configuration again and lets everything follow it.
func (r *reloader) reload() {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.store.Current()
	next, err := r.store.Reload(func(next *config.Set) error { return r.prepare(before, next) })
	done := &ReloadHealth{At: time.Now().UTC(), Outcome: metrics.Loaded}
	switch {
	case err != nil:
		done.Outcome, done.Errors = metrics.Rejected, errorsOf(err)
		r.complain(done.Errors)
	case next == before:
		done.Outcome = metrics.Unchanged
		r.log.Debug("configuration read again, nothing has changed", "version", next.Version)
	default:
		r.follow(before, next)
		r.log.Info("configuration loaded", "version", next.Version, "before", before.Version)
	}
	if err == nil {
		r.said = ""
	}
	r.health.LastReload = done
	r.metrics.Reloaded(done.Outcome)
}

// prepare opens the guard for both sets: as soon as the next one is in force, its
// calls are sent, and a request that the guard blocks is parked for good.
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

// follow does what a new set asks for. Calls, triggers, timeouts and limits are
// asked for in the set itself.
func (r *reloader) follow(before, next *config.Set) {
	if !reflect.DeepEqual(before.Guard, next.Guard) {
		guard, err := guardOf(next.Guard, r.allow)
		if err != nil {
			r.log.Error("the dial guard still allows what the configuration before allowed", "error", err) // prepare has made the same one
		} else {
			r.sender.SetGuard(guard)
		}
	}
	r.inForce(next)
}

// inForce notes the set in force, and warns of what is not as it says.
func (r *reloader) inForce(set *config.Set) {
	r.health.Version, r.health.File, r.health.LoadedAt = set.Version, set.File, time.Now().UTC()
	r.health.MissingSecrets = set.MissingSecrets()
	for _, e := range first(r.health.MissingSecrets) {
		r.log.Warn("a secret is missing; the call's requests are not sent until it is there", located(e)...)
	}
	r.health.NeedsRestart = set.NeedsRestart(r.started)
	for _, setting := range r.health.NeedsRestart {
		r.log.Warn("a setting has changed that is taken at the start only; restart the process", "setting", setting)
	}
	if r.level != nil {
		if err := r.level.UnmarshalText([]byte(set.Log.Level)); err != nil {
			r.log.Error("the log's level stays", "error", err)
		}
	}
	var calls []string
	for _, c := range set.Calls() {
		calls = append(calls, c.Name)
	}
	r.metrics.Begin(calls)
}

// complain says once what is wrong with a configuration.
func (r *reloader) complain(mistakes config.Errors) {
	said := r.said
	if r.said = mistakes.Error(); r.said == said {
		return
	}
	for _, e := range first(mistakes) {
		r.log.Error("configuration rejected, the one before stays in force", append(located(e), "version", r.health.Version)...)
	}
}

// recheck looks again for missing secrets: a file may have come.
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

// isGood tells whether the file and the set in force say the same.
func (h ConfigurationHealth) isGood() bool {
	return h.LastReload == nil || h.LastReload.Outcome != metrics.Rejected
}

// errorsOf gives every mistake the form of a located one.
func errorsOf(err error) config.Errors {
	if mistakes, ok := errors.AsType[config.Errors](err); ok {
		return mistakes
	}
	return config.Errors{{Problem: err.Error()}}
}

func first(mistakes config.Errors) config.Errors { return mistakes[:min(len(mistakes), maxLogged)] }

// located are a mistake's parts for the log.
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

// guardOf is the guard that the configuration asks for; also lists what may be
// reached beside what it allows.
func guardOf(g config.Guard, also []string) (*delivery.Guard, error) {
	guard, err := delivery.NewGuard(slices.Concat(g.Allow, also))
	if err == nil {
		guard, err = guard.Through(g.Proxy)
	}
	return guard, err
}
