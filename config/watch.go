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
	// quiet is how long a file must have been left alone before it is read, so that a
	// half-written one is not.
	quiet = 500 * time.Millisecond
	// restless is after how long somebody is told that a file is not left alone.
	restless = 5 * time.Second
	// lookEvery is how often a file is looked at without being told of a change:
	// network and container file systems do not tell of all.
	lookEvery = 10 * time.Second
)

// Watch calls changed whenever the store's file has changed, or a link on the way
// to it, and has been left alone for a moment. It returns when the context ends.
func (s *Store) Watch(ctx context.Context, log *slog.Logger, changed func()) {
	if s.fixed || s.path == "" {
		return
	}
	w := &watch{store: s, log: log, folders: map[string]bool{}, settled: time.NewTimer(quiet)}
	w.settled.Stop()
	defer w.settled.Stop()
	events, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("the system does not tell of changed files; the configuration is looked at every "+s.lookEvery.String(), "error", err)
		events = &fsnotify.Watcher{} // nothing ever comes from it
	} else {
		w.events = events
		defer events.Close()
	}
	w.follow()
	w.look() // it may have changed since it was read
	look := time.NewTicker(s.lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events.Events:
			w.notice(event)
		case err := <-events.Errors:
			log.Warn("changes of files may have been missed", "error", err)
			w.touched()
		case <-look.C:
			w.follow()
			w.look()
		case <-w.settled.C:
			w.since, w.warned = time.Time{}, false
			w.follow()
			changed()
		}
	}
}

// watch is one Watch at work.
type watch struct {
	store   *Store
	log     *slog.Logger
	events  *fsnotify.Watcher // nil where the system has none
	trail   []string
	folders map[string]bool // those that are wanted: whether they are watched
	settled *time.Timer
	since   time.Time // of the first change that has not settled
	warned  bool
	// looked is what the last look saw.
	looked    os.FileInfo
	hasLooked bool
}

// notice takes a change for what it is: a folder may hold much else.
func (w *watch) notice(event fsnotify.Event) {
	if event.Op != fsnotify.Chmod && slices.Contains(w.trail, event.Name) {
		w.touched()
	}
}

// touched lets the file settle anew.
func (w *watch) touched() {
	w.settled.Reset(quiet)
	if w.since.IsZero() {
		w.since = time.Now()
	}
	if time.Since(w.since) > restless && !w.warned {
		w.warned = true
		w.log.Warn("the configuration keeps changing; it is read once it is left alone", "file", w.store.path, "for", quiet)
	}
}

// look compares the file with the one that was read last.
func (w *watch) look() {
	now := stateOf(w.store.path)
	if isSameState(w.looked, now) && w.hasLooked {
		return
	}
	w.looked, w.hasLooked = now, true
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

// follow watches the folders of everything on the way to the file. A folder tells of
// a file that is renamed into place or made anew, which a watched file does not.
func (w *watch) follow() {
	w.trail = trailOf(w.store.path)
	if w.events == nil {
		return
	}
	wanted := map[string]bool{}
	for _, name := range w.trail {
		wanted[filepath.Dir(name)] = true
	}
	for folder := range maps.Clone(w.folders) {
		if wanted[folder] {
			continue
		}
		delete(w.folders, folder)
		if err := w.events.Remove(folder); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) {
			w.log.Debug("a folder stays watched", "folder", folder, "error", err)
		}
	}
	for folder := range wanted {
		// Also one that is watched: it may have been removed and made anew.
		err := w.events.Add(folder)
		if watched, known := w.folders[folder]; err != nil && (watched || !known) {
			w.log.Warn("a folder of the configuration cannot be watched; the file is looked at every "+w.store.lookEvery.String(), "folder", folder, "error", err)
		}
		w.folders[folder] = err == nil
	}
}

// maxLinks is how many links a path may have, as in the kernel.
const maxLinks = 40

// trailOf lists what decides to which file a path leads: every link on the way, the
// first one first, and the file at its end.
func trailOf(path string) []string {
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

// firstLink is the part of a path up to its first link, and the rest.
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
