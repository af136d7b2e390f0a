package bayeux_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSubscriptions(t *testing.T) {
	for name, c := range map[string]struct {
		subscription any
		come         []string // of messages on /t/a, /t/b and /t
	}{
		"a topic":                  {"/t/a", []string{"/t/a 1"}},
		"an array":                 {[]string{"/t/a", "/t/b"}, []string{"/t/a 1", "/t/b 2"}},
		"an array of one":          {[]string{"/t/b"}, []string{"/t/b 2"}},
		"one segment":              {"/t/*", []string{"/t/a 1", "/t/b 2"}},
		"all segments":             {"/t/**", []string{"/t/a 1", "/t/b 2"}},
		"everything":               {"/**", []string{"/t/a 1", "/t/b 2", "/t 3"}},
		"trailing slash":           {"/t/a/", []string{"/t/a/ 1"}},
		"several match: each once": {[]string{"/t/a", "/t/*", "/**"}, []string{"/t/a 1", "/t/b 2", "/t 3"}},
		"the same twice":           {[]string{"/t/a", "/t/a"}, []string{"/t/a 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				s := w.caller("anna").handshake(t)
				reply := only(t, s.send(t, s.message("/meta/subscribe", fields{"id": "1", "subscription": c.subscription})))
				require.True(t, reply.ok(), "%+v", reply)
				require.JSONEq(t, encoded(t, c.subscription), string(reply.Subscription))
				w.publish("/t/a", "1")
				w.publish("/t/b", "2")
				w.publish("/t", "3")
				require.Equal(t, c.come, contents(s.poll(t)))
			})
		})
	}
}

// A subscription is granted whole or not at all.
func TestSubscriptionsThatAreDenied(t *testing.T) {
	for name, subscription := range map[string]any{
		"unknown":          "/t/c",
		"one of several":   []string{"/t/a", "/t/c", "/t/b"},
		"another wildcard": "/u/**",
		"meta":             "/meta/connect",
		"meta wildcard":    "/meta/**",
		"service":          "/service/x",
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				s := w.caller("anna").handshake(t)
				reply := only(t, s.send(t, s.message("/meta/subscribe", fields{"subscription": subscription})))
				reply.unsuccessful(t, "403::subscribe_denied")
				require.JSONEq(t, encoded(t, subscription), string(reply.Subscription))
				w.publish("/t/a", "1")
				require.Empty(t, s.poll(t))
				require.Empty(t, w.subscribed[s.id])
			})
		})
	}
}

// The application receives what is new of a subscribe.
func TestTheApplicationLearnsWhatIsSubscribed(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		s.subscribe(t, "/t/a")
		s.subscribe(t, "/t/a", "/t/b")
		require.Equal(t, []string{"/t/a", "/t/b"}, w.subscribed[s.id])
		require.True(t, only(t, s.send(t, s.message("/meta/unsubscribe", fields{"subscription": "/t/a"}))).ok())
		s.subscribe(t, "/t/a")
		require.Equal(t, []string{"/t/a", "/t/b", "/t/a"}, w.subscribed[s.id])
	})
}

func TestAnUnsubscribeEndsASubscription(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		s.subscribe(t, "/t/a", "/t/b", "/t/*")
		for _, subscription := range []any{"/t/*", []string{"/t/a"}, "/t/a"} {
			reply := only(t, s.send(t, s.message("/meta/unsubscribe", fields{"subscription": subscription})))
			require.True(t, reply.ok(), "%+v", reply)
			require.JSONEq(t, encoded(t, subscription), string(reply.Subscription))
		}
		w.publish("/t/a", "1")
		w.publish("/t/b", "2")
		require.Equal(t, []string{"/t/b 2"}, contents(s.poll(t)))
	})
}

func TestNothingIsPublishedByClients(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		other := w.caller("boris").handshake(t)
		other.subscribe(t, "/**")
		for channel, text := range map[string]string{
			"/t/a": "403::publish_denied", "/service/x": "403::publish_denied", "/x": "403::publish_denied",
			"/meta/x": "404::unknown_channel", "/meta/": "404::unknown_channel", "/meta/connect/x": "404::unknown_channel",
		} {
			only(t, s.send(t, s.message(channel, fields{"data": fields{"n": 1}}))).unsuccessful(t, text)
		}
		only(t, s.send(t, fields{"clientId": s.id, "data": 1})).unsuccessful(t, "400::channel_missing")
		require.Empty(t, other.poll(t))
	})
}

// Without the acknowledgment extension, messages come with whatever reply is next.
func TestWithoutAckAnyReplyBringsMessages(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		s.subscribe(t, "/t/a")
		w.publish("/t/a", "1")
		replies := s.send(t, s.message("/meta/subscribe", fields{"subscription": "/t/b"}))
		require.Len(t, replies, 2)
		require.Equal(t, []string{"/t/a 1"}, contents(dataOf(replies)))
		require.Empty(t, s.poll(t))
	})
}

// With it they wait for the connect, because only a connect acknowledges.
func TestWithAckOnlyAConnectBringsMessages(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshakeWithAck(t)
		s.subscribe(t, "/t/a")
		w.publish("/t/a", "1")
		only(t, s.send(t, s.message("/meta/subscribe", fields{"subscription": "/t/b"})))
		require.Equal(t, []string{"/t/a 1"}, contents(s.poll(t)))
	})
}

// A session receives nothing of another.
func TestSessionsAreSeparate(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		anna, boris := w.caller("anna").handshake(t), w.caller("boris").handshake(t)
		anna.subscribe(t, "/t/a")
		boris.subscribe(t, "/t/b")
		w.publish("/t/a", "1")
		w.publish("/t/b", "2")
		both := anna.send(t, anna.message("/meta/subscribe", fields{"subscription": "/t/a"}), boris.message("/meta/subscribe", fields{"subscription": "/t/a"}))
		require.Equal(t, []string{"/t/a 1"}, contents(dataOf(both)))
		require.Equal(t, []string{"/t/b 2"}, contents(boris.poll(t)))
	})
}

// dataOf returns the messages that are no replies.
func dataOf(all []message) []message {
	var messages []message
	for _, m := range all {
		if m.Data != nil {
			messages = append(messages, m)
		}
	}
	return messages
}
