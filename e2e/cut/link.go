package cut

import (
	"net"
	"sync"
	"time"
)

const (
	pieceSize = 32 << 10
	// delayed is how many pieces may be under way when there is a delay. Without one only a piece is, so that a reader
	// that does not read holds back the writer.
	delayed = 4096
)

// link is the connection of a client, and the one to the server that is for it.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	once           sync.Once
	broken         chan struct{}
}

// cut breaks both connections.
func (l *link) cut() {
	l.once.Do(func() {
		close(l.broken)
		_ = l.client.Close() // there is nobody to tell
		_ = l.server.Close()
	})
}

// piece is what came at once.
type piece struct {
	at   time.Time
	data []byte
}

// pass passes on what comes, each piece after the delay, and cuts the link at the end or the limit; a negative limit is
// none.
func (l *link) pass(from, to net.Conn, limit int, delay time.Duration) {
	defer l.cut()
	underWay := 0
	if delay > 0 {
		underWay = delayed
	}
	pieces := make(chan piece, underWay)
	l.proxy.running.Go(func() { l.read(from, pieces) })
	for p := range pieces {
		if limit >= 0 {
			p.data = p.data[:min(len(p.data), limit)]
			limit -= len(p.data)
		}
		if !l.waits(time.Until(p.at.Add(delay))) {
			return
		}
		if _, err := to.Write(p.data); err != nil || limit == 0 {
			return
		}
	}
}

// read reads pieces until the end.
func (l *link) read(from net.Conn, pieces chan<- piece) {
	defer close(pieces)
	for {
		buffer := make([]byte, pieceSize)
		n, err := from.Read(buffer)
		if n > 0 {
			select {
			case pieces <- piece{at: time.Now(), data: buffer[:n]}:
			case <-l.broken:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// waits waits for a delay, and until the proxy is not stalled. It reports whether the link is whole by then.
func (l *link) waits(delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.broken:
		return false
	}
	select {
	case <-l.proxy.open():
		return true
	case <-l.broken:
		return false
	}
}
