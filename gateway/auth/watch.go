package auth

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrEnded is the cause with which the context of a stream ends when its credential no longer counts.
var ErrEnded = errors.New("the credential no longer counts")

// watch ends streams whose credential no longer counts. One goroutine looks at all of them, and runs
// only while there are any.
type watch struct {
	now   func() time.Time
	every time.Duration

	mutex   sync.Mutex
	streams map[*watched]struct{}
	stop    chan struct{} // of the goroutine; nil while there is none
	closed  bool
	running sync.WaitGroup
}

type watched struct {
	caller *Caller
	end    context.CancelCauseFunc
}

func newWatch(now func() time.Time, every time.Duration) *watch {
	return &watch{now: now, every: every, streams: map[*watched]struct{}{}}
}

// Watch returns a context for a stream of the caller. It ends, with ErrEnded as its cause, a few
// seconds after the credential has ended: it expired, or a reload removed or changed it. Call release
// when the stream ends.
func (a *Auth) Watch(ctx context.Context, caller *Caller) (stream context.Context, release func()) {
	stream, _, release = a.WatchRenewed(ctx, caller)
	return stream, release
}

// WatchRenewed is Watch for a stream whose client shows credentials again while it is open: renew lets the
// stream last as long as a later one, if it is the same caller's and grants the same.
func (a *Auth) WatchRenewed(ctx context.Context, caller *Caller) (stream context.Context, renew func(*Caller), release func()) {
	stream, end := context.WithCancelCause(ctx)
	w := &watched{caller: caller, end: end}
	a.watch.add(w)
	unhook := context.AfterFunc(ctx, func() { a.watch.remove(w) })
	return stream, func(next *Caller) { a.watch.renew(w, next) }, func() {
		unhook()
		a.watch.remove(w)
		end(context.Canceled)
	}
}

func (w *watch) add(s *watched) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.closed || !s.caller.Counts(w.now()) {
		s.end(ErrEnded)
		return
	}
	w.streams[s] = struct{}{}
	if w.stop == nil {
		w.stop = make(chan struct{})
		stop := w.stop
		w.running.Go(func() { w.run(stop) })
	}
}

func (w *watch) renew(s *watched, next *Caller) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if s.caller.SameGrant(next) && next.endsAfter(s.caller) {
		s.caller = next
	}
}

func (w *watch) remove(s *watched) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	delete(w.streams, s)
	if len(w.streams) == 0 && w.stop != nil {
		close(w.stop)
		w.stop = nil
	}
}

func (w *watch) run(stop <-chan struct{}) {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			w.sweep()
		}
	}
}

// sweep ends the streams whose credential no longer counts. A credential is checked without the lock:
// a password may have to be read.
func (w *watch) sweep() {
	w.mutex.Lock()
	all := make(map[*watched]*Caller, len(w.streams))
	for s := range w.streams {
		all[s] = s.caller
	}
	w.mutex.Unlock()
	now := w.now()
	for s, caller := range all {
		if !caller.Counts(now) && !w.isRenewed(s, caller) {
			s.end(ErrEnded)
			w.remove(s)
		}
	}
}

// isRenewed reports whether a stream has another caller by now.
func (w *watch) isRenewed(s *watched, caller *Caller) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return s.caller != caller
}

// close ends all streams.
func (w *watch) close() {
	w.mutex.Lock()
	w.closed = true
	all := w.streams
	w.streams = map[*watched]struct{}{}
	if w.stop != nil {
		close(w.stop)
		w.stop = nil
	}
	w.mutex.Unlock()
	for s := range all {
		s.end(ErrEnded)
	}
	w.running.Wait()
}
