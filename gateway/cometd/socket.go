package cometd

import "github.com/coder/websocket"

// socketLimit bounds a frame, in bytes.
const socketLimit = 64 << 10

var _ = websocket.MessageText
