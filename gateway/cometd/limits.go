package cometd

import "time"

// The bounds of what clients send and of what waits for them.
const (
	maxBody          = 64 << 10 // of a POST or a frame, in bytes
	maxBatch         = 100      // messages of a POST or a frame
	maxDepth         = 64       // of nested JSON
	maxBrowser       = 128      // bytes of the cookie BAYEUX_BROWSER
	maxChannel       = 256      // bytes of a subscription
	maxSubscriptions = 100      // of a session
	maxQueued        = 1_000    // messages of a session
	maxQueuedBytes   = 4 << 20  // of a session
	maxMissed        = 10_000   // messages of a session beside those, that an earlier one has missed
	maxMissedBytes   = 16 << 20 // of them
	maxAllBytes      = 64 << 20 // of all sessions
	maxReplyBytes    = 256 << 10
	maxRepeatedBytes = 64 << 20 // of a session that acknowledges none of them
	maxDue           = 100      // replies to connects that wait for a WebSocket
	maxID            = 256      // bytes of a message's id, which a held connect keeps
	maxWriting       = 2        // replies with messages that are being written for a session that acknowledges
	maxSockets       = 4        // WebSockets of a session
	controlsASecond  = 10       // pings and pongs of a WebSocket
	controlsAtOnce   = 50
)

// The defaults of Options.
const (
	defaultTimeout     = 30 * time.Second
	defaultMaxInterval = time.Minute
	defaultPing        = 30 * time.Second
	defaultSessions    = 20_000
)

const (
	// longestInterval bounds the time for which a client may say that it sends no connect.
	longestInterval = 10 * time.Minute
	// writeWithin is how long a client may take to accept a reply.
	writeWithin = 30 * time.Second
	// pongWithin is how long a client may take to answer a ping.
	pongWithin = 10 * time.Second
	// unusedWithin is how long a WebSocket may stay whose last session has ended.
	unusedWithin = 10 * time.Second
	// busyPause is before the next frame is read of a client that sends too many.
	busyPause = 100 * time.Millisecond
	// closeWithin is how long a client may take to answer the end of a WebSocket.
	closeWithin = time.Second
	// retryAfter is when a client handshakes again after the server had too many sessions.
	retryAfter = 10 * time.Second
	// busyInterval is when a client connects again after it sent too many frames.
	busyInterval = time.Second
)
