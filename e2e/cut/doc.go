// Package cut has a TCP proxy for end-to-end tests, which does to connections what networks do: it cuts them,
// at once or after a number of bytes, refuses them, stalls them and delays what passes.
//
//	p := cut.Before(t, url) // clients use p.URL()
//	p.Cut()                 // they have to connect again
//	p.Away()                // and cannot
//	p.Back()
//
// Package e2e/bayeux cuts connections after random bytes of an answer, e2e/replicas delays a bus.
//
// It must never know which protocol passes, nor what a test is about.
package cut
