package engagement_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// link is a network between a page and a gateway, which can be cut and lead to another gateway.
type link struct {
	address string

	mu     sync.Mutex
	to     string // empty while it is cut
	opened []net.Conn
}

// newLink returns a link to a gateway.
func newLink(t *testing.T, gateway string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &link{address: "http://" + listener.Addr().String()}
	l.lead(gateway)
	var carried sync.WaitGroup
	carried.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			carried.Go(func() { l.carry(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		l.cut()
		carried.Wait()
	})
	return l
}

func (l *link) lead(gateway string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = strings.TrimPrefix(gateway, "http://")
}

// cut ends all connections, and lets none through until lead is called.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = ""
	for _, conn := range l.opened {
		_ = conn.Close()
	}
	l.opened = nil
}

func (l *link) carry(conn net.Conn) {
	defer conn.Close()
	l.mu.Lock()
	to := l.to
	l.mu.Unlock()
	if to == "" {
		return
	}
	other, err := net.DialTimeout("tcp", to, patience)
	if err != nil {
		return
	}
	defer other.Close()
	l.mu.Lock()
	if l.to != to {
		l.mu.Unlock()
		return
	}
	l.opened = append(l.opened, conn, other)
	l.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(other, conn); _ = other.Close() })
	both.Go(func() { _, _ = io.Copy(conn, other); _ = conn.Close() })
	both.Wait()
}

// TestThePageWasAway has a visitor whose connection is lost while an invitation is open, and comes back at another
// replica: the page shows what is true by then.
func TestThePageWasAway(t *testing.T) {
	another, stop, err := startGateway()
	require.NoError(t, err)
	defer func() { require.NoError(t, stop()) }()
	b := startBrowser(t)
	for name, transport := range transports {
		for what, happens := range map[string]struct {
			does func(visit string)
			says string
		}{
			"withdrawn": {func(visit string) {
				status, answer := post(t, "/server/data/gateway/noengage", fmt.Sprintf(`{"visitID":%q}`, visit))
				require.Equal(t, 200, status, answer)
			}, over},
			"open": {func(string) {}, shown},
		} {
			visit := "away-" + name + "-" + what
			network := newLink(t, url)
			b.openAt(network.address, visit, transport)
			b.sees("Welcome.")
			engageVisit(t, visit, "a")
			b.sees(shown)
			network.cut()
			happens.does(visit)
			require.True(t, b.isInvited(), "the page cannot know")
			b.evaluate(`new MutationObserver(() => window.changed = true).observe(document.getElementById("status"), {childList: true})`)
			network.lead(another)
			for begun := time.Now(); b.evaluate(`window.changed`) != true; time.Sleep(pollEvery) {
				require.Less(t, time.Since(begun), patience, visit)
			}
			b.sees(happens.says)
			require.Equal(t, happens.says == shown, b.isInvited())
		}
	}
}

// TestThePageIsLeftAndShownAgain has a visitor who goes on to other pages, which share the few connections of a browser,
// and back to the first: it has no connection meanwhile, and no invitation that is over.
func TestThePageIsLeftAndShownAgain(t *testing.T) {
	b := startBrowser(t)
	b.invite("back")
	for n := range 7 {
		b.visit(fmt.Sprint("elsewhere-", n), "")
	}
	status, answer := post(t, "/server/data/gateway/noengage", `{"visitID":"back"}`)
	require.Equal(t, 200, status, answer)
	b.evaluate(`history.go(-7)`)
	for begun := time.Now(); b.evaluate(`location.search.includes("visit=back")`) != true; time.Sleep(pollEvery) {
		require.Less(t, time.Since(begun), patience)
	}
	b.sees("Welcome.")
	require.False(t, b.isInvited())
	engageVisit(t, "back", "again")
	b.sees(shown)
	b.click("accept")
	b.sees(chatting)
}
