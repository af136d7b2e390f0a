package replicas_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
)

// follower reads the live events of a gateway, and reconnects with the last id as browsers do.
type follower struct {
	*world
	number int // of the gateway that it reads first
	// begin is closed when a client begins to read what comes; nil for one that reads at once.
	begin <-chan struct{}

	mu     sync.Mutex
	shown  map[string]int64 // by interaction: the last revision
	fault  string
	lastID string
	// resyncs, gaps and events count what came.
	resyncs, gaps, events, connects int
}

// followers are the readers of all gateways.
type followers []*follower

// follow reads the events of each gateway until the test ends.
func (w *world) follow() followers {
	w.Helper()
	var all followers
	for i := range w.replicas() {
		all = append(all, w.followAt(i))
	}
	return all
}

func (w *world) followAt(number int) *follower {
	w.Helper()
	return w.followLater(number, nil)
}

// followLater opens a stream with whole states, and reads nothing of it until begin is closed; at once
// if that is nil.
func (w *world) followLater(number int, begin <-chan struct{}) *follower {
	w.Helper()
	f := &follower{world: w, number: number, begin: begin, shown: map[string]int64{}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	connected := make(chan struct{})
	running.Go(func() { f.run(ctx, sync.OnceFunc(func() { close(connected) })) })
	w.Cleanup(func() {
		cancel()
		running.Wait()
	})
	select {
	case <-connected:
	case <-time.After(startWithin):
		require.Fail(w, "the stream of events does not begin")
	}
	return f
}

// run reads until the context ends.
func (f *follower) run(ctx context.Context, connected func()) {
	for try := 0; ctx.Err() == nil; try++ {
		_ = f.read(ctx, f.replica(f.number+try), connected) // it ends when the gateway does
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// read reads one connection.
func (f *follower) read(ctx context.Context, g *gateway, connected func()) error {
	path, transport := "/v1/events", f.transport
	if f.begin != nil {
		path, transport = "/v1/events?include=state", hasty()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Segue-Contact-Center", f.name)
	f.mu.Lock()
	if f.lastID != "" {
		r.Header.Set("Last-Event-ID", f.lastID)
	}
	f.connects++
	f.mu.Unlock()
	response, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if f.begin != nil {
		connected()
		select {
		case <-f.begin:
		case <-ctx.Done():
		}
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 4<<20)
	var id, event string
	var data []byte
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "retry":
			connected()
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			data = bytes.Clone([]byte(value))
		case "":
			if lines.Text() == "" {
				f.take(id, event, data)
				id, event, data = "", "", nil
			}
		}
	}
	return lines.Err()
}

// hasty returns a transport whose connections have small buffers.
func hasty() http.RoundTripper {
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if failed := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10) }); failed != nil {
			return failed
		}
		return err
	}}
	return &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
}

// take notes an event. The revisions of an interaction go up by one, except over a gap and a resync.
func (f *follower) take(id, event string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id != "" {
		f.lastID = id
	}
	if event == "" {
		return
	}
	f.events++
	var got struct {
		Interaction        string
		Revision, From, To int64
	}
	if event == "gap" || event == "state" || event == "resync" {
		if err := json.Unmarshal(data, &got); err != nil {
			f.fault = err.Error()
		}
	} else {
		var moment struct {
			Interaction, Command string
			Revision             int64
		}
		if err := json.Unmarshal(data, &moment); err != nil {
			f.fault = err.Error()
		}
		got.Interaction, got.Revision = moment.Interaction, moment.Revision
		if moment.Command == "start" && moment.Revision == 1 {
			delete(f.shown, moment.Interaction) // it may have been there before
		}
	}
	last := f.shown[got.Interaction]
	switch event {
	case "resync":
		f.resyncs++
	case "state":
		if got.Revision < last {
			f.fail("%s: state %d after %d", got.Interaction, got.Revision, last)
		}
		f.shown[got.Interaction] = got.Revision
	case "gap":
		f.gaps++
		if got.From != last+1 {
			f.fail("%s: gap from %d after %d", got.Interaction, got.From, last)
		}
		f.shown[got.Interaction] = got.To
	default:
		if got.Revision != last && got.Revision != last+1 {
			f.fail("%s: %s has revision %d after %d", got.Interaction, event, got.Revision, last)
		}
		f.shown[got.Interaction] = got.Revision
	}
}

func (f *follower) fail(format string, args ...any) {
	if f.fault == "" {
		f.fault = fmt.Sprintf(format, args...)
	}
}

// agree requires that each stream has shown every change within a time, in order.
func (all followers) agree(within time.Duration, ids ...string) {
	begin := time.Now()
	for i, f := range all {
		f.Helper()
		present := f.present(ids...)
		missing := func() string {
			truth := present()
			f.mu.Lock()
			defer f.mu.Unlock()
			text := ""
			for id, revision := range truth {
				if f.shown[id] != revision {
					text += fmt.Sprintf("%s: %d of %d; ", id, f.shown[id], revision)
				}
			}
			return text
		}
		f.eventually(until(within, begin), "the stream has shown every change", func() bool { return missing() == "" }, missing)
		f.mu.Lock()
		fault := f.fault
		f.Logf("stream %d: %d events, %d gaps, %d resyncs, %d connections", i, f.events, f.gaps, f.resyncs, f.connects)
		f.mu.Unlock()
		require.Empty(f, fault)
	}
}
