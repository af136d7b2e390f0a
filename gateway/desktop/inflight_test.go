package desktop_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/commands"
	"segue/gateway/desktop"
)

// slow is a sender whose starts wait for release, or for the end of their context.
type slow struct {
	desktop.Sender
	began, release chan struct{}
}

func (s *slow) Start(ctx context.Context, n client.Name, start json.RawMessage, given []json.RawMessage) (commands.Started, error) {
	s.began <- struct{}{}
	select {
	case <-s.release:
		return s.Sender.Start(ctx, n, start, given)
	case <-ctx.Done():
		return commands.Started{}, ctx.Err()
	}
}

// TestASessionWaitsForWhatTheOneBeforeItIsDoing cuts a desktop off while it dials. The next session shows the call
// in its replay: a desktop that saw none would dial again.
func TestASessionWaitsForWhatTheOneBeforeItIsDoing(t *testing.T) {
	sender := &slow{began: make(chan struct{}, 1), release: make(chan struct{})}
	w := newWorld(t, func(o *desktop.Options) {
		sender.Sender = o.Sender
		o.Sender = sender
	})
	first := w.telephone("ann")
	first.send(`{"command":"channel.dial","target":"` + first.session + `.c-1","requestId":"r1","data":{"destination":"+1"}}`)
	<-sender.began
	first.send(`{"command":"channel.dial","target":"` + first.session + `.c-1","requestId":"r2","data":{"destination":"+1"}}`)
	require.NoError(t, first.conn.CloseNow())

	second := w.connect()
	second.send(`{"command":"prepareSession","data":{"agent":{"id":"ann","password":"right"},"override":true}}`)
	answers := make(chan object)
	go func() { answers <- second.read() }()
	select {
	case early := <-answers:
		require.Fail(t, "the request of the first session is not answered yet", "%v", early)
	case <-time.After(200 * time.Millisecond):
	}
	close(sender.release)
	answer := <-answers
	require.Equal(t, "success", answer["result"], answer)
	second.session, _ = at(answer, "data", "sessionId").(string)
	replay := second.until("session.initialized")
	require.Len(t, replay, 3+10+1)
	require.Equal(t, "state DIALING c-1."+w.onlyID(), replay[6])
	require.Len(t, w.interactions, 1, "what the first session had sent, too, is of no session")
	require.Empty(t, sender.began)
}

// TestASessionWaitsNoLongerThanARequest has a request without an outcome.
func TestASessionWaitsNoLongerThanARequest(t *testing.T) {
	sender := &slow{began: make(chan struct{}, 1)}
	w := newWorld(t, func(o *desktop.Options) {
		sender.Sender, o.Deadline = o.Sender, 300*time.Millisecond
		o.Sender = sender
	})
	first := w.telephone("ann")
	first.send(`{"command":"channel.dial","target":"` + first.session + `.c-1","data":{"destination":"+1"}}`)
	<-sender.began
	require.NoError(t, first.conn.CloseNow())
	second := w.connect()
	second.succeeds("prepareSession", "", `{"agent":{"id":"ann","password":"right"},"override":true}`)
}
