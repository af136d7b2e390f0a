package gateway

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"segue/config"
	"segue/metrics"
)

// maxLogged is how many errors of a configuration are logged; /readyz has all.
const maxLogged = 10

// ConfigurationHealth is the state of the gateway's configuration.
type ConfigurationHealth struct {
	Version string `json:"version"`
	File    string `json:"file,omitempty"`
	// LoadedAt is when the current configuration was loaded.
	LoadedAt   time.Time     `json:"loaded_at"`
	LastReload *ReloadHealth `json:"last_reload,omitempty"`
	// MissingSecrets are references of the gateway to secrets that do not exist.
	MissingSecrets config.Errors `json:"missing_secrets,omitempty"`
	// NeedsRestart names settings that have changed since the start of the process and take effect
	// only after a restart.
	NeedsRestart []string `json:"needs_restart,omitempty"`
}

// ReloadHealth is the result of a reload.
type ReloadHealth struct {
	At      time.Time       `json:"at"`
	Outcome metrics.Outcome `json:"outcome"`
	// Errors are why the configuration was rejected, with field, value, line and remedy.
	Errors config.Errors `json:"errors,omitempty"`
}

func (h ConfigurationHealth) isGood() bool {
	return h.LastReload == nil || h.LastReload.Outcome != metrics.Rejected
}

// reloader reloads the configuration of a gateway that runs without a worker. Next to a worker the
// worker reloads, and the gateway applies what it finds.
type reloader struct {
	store   *config.Store
	started *config.Set
	// update applies a set before it becomes current; an error rejects the set.
	update  func(next *config.Set) error
	metrics *metrics.Instruments
	level   *slog.LevelVar
	log     *slog.Logger

	mu      sync.Mutex // one reload at a time
	applied *config.Set
	health  ConfigurationHealth
	logged  string // the errors that were logged last
}

// run reloads when the file has changed and when a signal arrives on requested, until the context ends.
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

// followEvery is how soon a gateway applies a configuration that a worker of its process has loaded.
const followEvery = time.Second

// follow applies what others make current in the store, until the context ends.
func (r *reloader) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.adopt()
		}
	}
}

// adopt applies the current set of the store, unless it is applied already.
func (r *reloader) adopt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.store.Current()
	if next == r.applied {
		return
	}
	if err := r.update(next); err != nil {
		r.log.Error("the gateway keeps the credentials before", "error", err)
	}
	r.note(next)
}

// reload loads the configuration again and applies it.
func (r *reloader) reload() {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.store.Current()
	next, err := r.store.Reload(r.update)
	done := &ReloadHealth{At: time.Now().UTC(), Outcome: metrics.Loaded}
	switch {
	case err != nil:
		done.Outcome, done.Errors = metrics.Rejected, errorsOf(err)
		r.logErrors(done.Errors)
	case next == before:
		done.Outcome = metrics.Unchanged
	default:
		r.note(next)
		r.log.Info("configuration loaded", "version", next.Version, "before", before.Version)
	}
	if err == nil {
		r.logged = ""
	}
	r.health.LastReload = done
	r.metrics.Reloaded(done.Outcome)
}

// note notes the set that is applied, and logs which of its settings have no effect yet.
func (r *reloader) note(set *config.Set) {
	r.applied = set
	r.health.Version, r.health.File, r.health.LoadedAt = set.Version, set.File, time.Now().UTC()
	for _, e := range first(set.MissingGatewaySecrets()) {
		r.log.Warn("a secret of the gateway is missing", located(e)...)
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

// status returns the state of the configuration, with the secrets that are missing now.
func (r *reloader) status() ConfigurationHealth {
	missing := r.store.Current().MissingGatewaySecrets()
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.health
	h.MissingSecrets = missing
	return h
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
