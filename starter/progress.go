package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows the progress of a command on stderr: a bar on a terminal, else a plain line every plainPause. It is
// safe for concurrent use.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	bar   *progressbar.ProgressBar
	what  string
	done  int
	total int
	next  time.Time
}

// plainPause is the pause between two plain lines.
const plainPause = 2 * time.Second

// newProgress begins at 0 of total. A total below 1 means that the total is unknown.
func newProgress(w io.Writer, what string, total int) *progress {
	p := &progress{w: w, what: what, total: total, next: time.Now().Add(plainPause)}
	if isTerminal(w) {
		size := total
		if size < 1 {
			size = -1
		}
		p.bar = progressbar.NewOptions(size,
			progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

// step adds 1.
func (p *progress) step() { p.set(-1) }

// set sets the progress; -1 adds 1.
func (p *progress) set(done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if done < 0 {
		done = p.done + 1
	}
	p.done = done
	if p.bar != nil {
		_ = p.bar.Set(done) // a bar that cannot be drawn is no reason to stop
		return
	}
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(plainPause)
		p.line()
	}
}

func (p *progress) line() {
	if p.total > 0 {
		fmt.Fprintf(p.w, "%s: %d of %d\n", p.what, p.done, p.total)
		return
	}
	fmt.Fprintf(p.w, "%s: %d\n", p.what, p.done)
}

// end removes the bar.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish() // as above
	}
}
