package embedded

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
)

// reportEvery is how often the progress of a build is reported.
var reportEvery = 5 * time.Second

// report reports the progress every reportEvery, with the time since the beginning, until it is stopped.
func report(progress func(string), text func(time.Duration) string) (stop func()) {
	begin := time.Now()
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		beat := time.NewTicker(reportEvery)
		defer beat.Stop()
		for {
			select {
			case <-quit:
				return
			case <-beat.C:
				progress(text(time.Since(begin)))
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

// packages is a writer for the output of go build -v: it counts the lines that name a package, and keeps the others.
type packages struct {
	// total is how many packages are compiled, 0 if that is unknown.
	total int

	mu      sync.Mutex
	built   int
	partial []byte
	others  []byte
}

func (p *packages) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := bytes.SplitAfter(append(p.partial, text...), []byte("\n"))
	p.partial = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		if packageName.Match(line) {
			p.built++
		} else {
			p.others = append(p.others, line...)
		}
	}
	return len(text), nil
}

// packageName is a line with the name of a package alone. What compilers say has a space or a colon.
var packageName = regexp.MustCompile(`^[\w./~-]+\n$`)

// report returns how far the build is.
func (p *packages) report(since time.Duration) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	since = since.Round(time.Second)
	switch {
	case p.total == 0 || p.built == 0:
		return fmt.Sprintf("  %d packages after %s", p.built, since)
	case p.built >= p.total:
		return fmt.Sprintf("  all packages are compiled, linking; %s so far", since)
	}
	left := time.Duration(float64(since) * float64(p.total-p.built) / float64(p.built)).Round(time.Second)
	return fmt.Sprintf("  %d of %d packages, about %s left", p.built, p.total, left)
}

// rest returns what the build has said, besides the packages.
func (p *packages) rest() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.TrimSpace(string(append(p.others, p.partial...)))
}
