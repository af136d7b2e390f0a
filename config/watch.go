package config

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long a file must be unchanged before it is read, so that no half-written
	// file is.
	quiet = 500 * time.Millisecond
	// warnAfter is how long a file may keep changing before a warning is logged.
	warnAfter = 5 * time.Second
	// pollEvery is how often a file is checked without a notification of the system: network
	// and container file systems do not notify of every change.
	pollEvery = 10 * time.Second
)

// Watch calls changed whenever the store's file or a link on its path has changed and is
// then unchanged for half a second. It returns when the context ends.
func (s *Store) Watch(ctx context.Context, log *slog.Logger, changed func()) {
	if s.fixed || s.path == "" {
		return
	}
	w := &watch{store: s, log: log, folders: map[string]bool{}, settled: time.NewTimer(quiet)}
	w.settled.Stop()
	defer w.settled.Stop()
	events, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("the system cannot notify of changed files; the configuration is checked every "+s.pollEvery.String(), "error", err)
		events = &fsnotify.Watcher{} // its channels never deliver
	} else {
		w.events = events
		defer events.Close()
	}
	w.follow()
	w.poll() // the file may have changed since it was read
	tick := time.NewTicker(s.pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events.Events:
			w.notice(event)
		case err := <-events.Errors:
			log.Warn("notifications of changed files may have been lost", "error", err)
			w.touched()
		case <-tick.C:
			w.follow()
			w.poll()
		case <-w.settled.C:
			w.since, w.warned = time.Time{}, false
			w.follow()
			changed()
		}
	}
}

// watch is the state of one Watch.
type watch struct {
	store   *Store
	log     *slog.Logger
	events  *fsnotify.Watcher // nil where the system has none
	names   []string
	folders map[string]bool // whether each folder of the names is watched
	settled *time.Timer
	since   time.Time // of the first change since the file was last read
	warned  bool
	// polled is the state that the last poll found.
	polled    os.FileInfo
	hasPolled bool
}

// notice handles a notification of a folder, which may contain other files.
func (w *watch) notice(event fsnotify.Event) {
	if event.Op != fsnotify.Chmod && slices.Contains(w.names, event.Name) {
		w.touched()
	}
}

// touched restarts the wait for the file to stay unchanged.
func (w *watch) touched() {
	w.settled.Reset(quiet)
	if w.since.IsZero() {
		w.since = time.Now()
	}
	if time.Since(w.since) > warnAfter && !w.warned {
		w.warned = true
		w.log.Warn("the configuration file keeps changing; it is read when it stays unchanged", "file", w.store.path, "for", quiet)
	}
}

// poll compares the file with the one that was last read.
func (w *watch) poll() {
	now := stateOf(w.store.path)
	if isSameState(w.polled, now) && w.hasPolled {
		return
	}
	w.polled, w.hasPolled = now, true
	if !isSameState(w.store.lastState(), now) {
		w.touched()
	}
}

func isSameState(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}

// follow watches the folders of the file and of the links on its path. A folder notifies of
// a file that is renamed into place or created again; a watched file does not.
func (w *watch) follow() {
	w.names = namesOnPath(w.store.path)
	if w.events == nil {
		return
	}
	wanted := map[string]bool{}
	for _, name := range w.names {
		wanted[filepath.Dir(name)] = true
	}
	for folder := range maps.Clone(w.folders) {
		if wanted[folder] {
			continue
		}
		delete(w.folders, folder)
		if err := w.events.Remove(folder); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) {
			w.log.Debug("a folder is still watched", "folder", folder, "error", err)
		}
	}
	for folder := range wanted {
		// A folder that is watched already may have been removed and created again.
		err := w.events.Add(folder)
		if watched, known := w.folders[folder]; err != nil && (watched || !known) {
			w.log.Warn("a folder of the configuration cannot be watched; the file is checked every "+w.store.pollEvery.String(), "folder", folder, "error", err)
		}
		w.folders[folder] = err == nil
	}
}

// maxLinks is how many links a path may have, as in the kernel.
const maxLinks = 40

// namesOnPath lists every link on a path, in order, and then the file that it leads to.
func namesOnPath(path string) []string {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	var names []string
	for range maxLinks {
		link, rest := firstLink(path)
		if link == "" {
			break
		}
		names = append(names, link)
		target, err := os.Readlink(link)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		path = filepath.Join(target, rest)
	}
	return append(names, path)
}

// firstLink returns a path up to its first link, and the rest.
func firstLink(path string) (link, rest string) {
	for i := len(filepath.VolumeName(path)) + 1; i <= len(path); i++ {
		if i < len(path) && !os.IsPathSeparator(path[i]) {
			continue
		}
		info, err := os.Lstat(path[:i])
		if err != nil {
			return "", ""
		}
		if info.Mode()&os.ModeSymlink != 0 {
			return path[:i], strings.TrimPrefix(path[i:], string(filepath.Separator))
		}
	}
	return "", ""
}
