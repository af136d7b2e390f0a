// Package bayeux tests the Bayeux server of gateway/cometd from outside, with a small application: the raw wire by HTTP
// and WebSocket, and the clients that people use, cometd and faye, over connections that break.
//
// Most tests run in memory with a fake clock. The clients in clients run under Node.js and need npm.
//
// It has no code besides tests.
package bayeux
