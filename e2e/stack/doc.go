// Package stack runs what an end-to-end test needs inside the test's process: an embedded Temporal, a bus, workers, and
// gateways on TCP ports. It is package worker/local for tests, with the bus and gateways.
//
// A test of a face begins like this:
//
//	const settings = `
//	timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h}}
//	`
//
//	var url string
//
//	func TestMain(m *testing.M) {
//		stack.Main(m, stack.Options{}, func(s *stack.Stack) error {
//			g, err := s.Serve(settings)
//			if err == nil {
//				url = g.URL
//			}
//			return err
//		})
//	}
//
//	func TestACallIsQueued(t *testing.T) {
//		stack.Must(t, http.MethodPost, url+"/v1/interactions", `{"id":"ixn-1","channel":"inbound"}`)
//		stack.Must(t, http.MethodPost, url+"/v1/interactions/ixn-1/commands/place_in_queue", `{"queue":"sales"}`)
//		ixn := stack.Must(t, http.MethodGet, url+"/v1/interactions/ixn-1", "")
//		require.Equal(t, "queued", ixn.Body["state"])
//	}
//
// Tests share the stack of their package, and have interactions of their own.
//
// It must never know what a test is about: which face it uses, who its users are, what its receivers answer.
package stack
