package reload

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

	"segue/config"
	"segue/metrics"
)

// Options configure a Reloader.
type Options struct {
	Store *config.Store
	// Prepare gets a set before it becomes current; an error rejects the set.
	Prepare func(before, next *config.Set) error
	// Apply gets each set that has become current, the first one as both; nil for nothing to do.
	Apply func(before, next *config.Set)
	// Missing returns the references to secrets that do not exist, and Warning is what the log says
	// about each.
	Missing func(*config.Set) config.Errors
	Warning string
	Metrics *metrics.Instruments
	// Level is set to log.level; nil for a log with a fixed level.
	Level *slog.LevelVar
	Log   *slog.Logger
}

// Reloader keeps the configuration of a process current. It is safe for concurrent use.
type Reloader struct {
	options Options
	started *config.Set

	mu      sync.Mutex // one reload at a time
	current *config.Set
	health  Health
	logged  string // the errors that were logged last
}

// New returns a reloader of a process that has started with the current set.
func New(o Options) *Reloader {
	r := &Reloader{options: o, started: o.Store.Current()}
	r.apply(r.started, r.started)
	return r
}

// Run reloads when the file has changed and when a signal arrives on requested, until the context
// ends.
func (r *Reloader) Run(ctx context.Context, requested <-chan os.Signal) {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { r.options.Store.Watch(ctx, r.options.Log, r.Reload) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-requested:
			r.Reload()
		}
	}
}

// followEvery is how soon Follow applies a set that another part of the process has loaded.
const followEvery = time.Second

// Follow applies the sets that another part of the process makes current, until the context ends.
func (r *Reloader) Follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.Adopt()
		}
	}
}

// Adopt applies the current set of the store, unless it is applied already.
func (r *Reloader) Adopt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, next := r.current, r.options.Store.Current()
	if next == before {
		return
	}
	if err := r.options.Prepare(before, next); err != nil {
		r.options.Log.Error("a part of the process still uses the configuration before", "error", err)
	}
	r.apply(before, next)
}

// Reload loads the configuration again and applies it.
func (r *Reloader) Reload() {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, log := r.options.Store.Current(), r.options.Log
	next, err := r.options.Store.Reload(func(next *config.Set) error { return r.options.Prepare(before, next) })
	done := &Result{At: time.Now().UTC(), Outcome: metrics.Loaded}
	switch {
	case err != nil:
		done.Outcome, done.Errors = metrics.Rejected, errorsOf(err)
		r.logErrors(done.Errors)
	case next == before:
		done.Outcome = metrics.Unchanged
		log.Debug("configuration reloaded, nothing has changed", "version", next.Version)
	default:
		r.apply(before, next)
		log.Info("configuration loaded", "version", next.Version, "before", before.Version)
	}
	if err == nil {
		r.logged = ""
	}
	r.health.LastReload = done
	r.options.Metrics.Reloaded(done.Outcome)
}

// apply has the process apply a set, notes it, and logs which of its settings have no effect yet.
func (r *Reloader) apply(before, next *config.Set) {
	if r.options.Apply != nil {
		r.options.Apply(before, next)
	}
	r.current = next
	r.health.Version, r.health.File, r.health.LoadedAt = next.Version, next.File, time.Now().UTC()
	r.health.MissingSecrets = r.options.Missing(next)
	for _, e := range first(r.health.MissingSecrets) {
		r.options.Log.Warn(r.options.Warning, located(e)...)
	}
	r.health.NeedsRestart = next.NeedsRestart(r.started)
	for _, setting := range r.health.NeedsRestart {
		r.options.Log.Warn("a changed setting takes effect after a restart; restart the process", "setting", setting)
	}
	if r.options.Level != nil {
		if err := r.options.Level.UnmarshalText([]byte(next.Log.Level)); err != nil {
			r.options.Log.Error("the log level is unchanged", "error", err)
		}
	}
}

// logErrors logs the errors of a configuration, unless they were logged last time.
func (r *Reloader) logErrors(mistakes config.Errors) {
	last := r.logged
	if r.logged = mistakes.Error(); r.logged == last {
		return
	}
	for _, e := range first(mistakes) {
		r.options.Log.Error("configuration rejected, the current one stays active", append(located(e), "version", r.health.Version)...)
	}
}

// Recheck looks again for missing secrets: a file may exist now.
func (r *Reloader) Recheck() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health.MissingSecrets = r.options.Missing(r.options.Store.Current())
}

// Status returns the state of the configuration.
func (r *Reloader) Status() Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.health
}
