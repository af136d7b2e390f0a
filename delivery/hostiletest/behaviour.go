package hostiletest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// pause is the time between two bytes of a slow response, which no test waits for to end.
const pause = 20 * time.Millisecond

// afterRequest returns a behaviour that reads the whole request first.
func afterRequest(b Behaviour) Behaviour {
	return func(c *Conn) {
		if c.Request() {
			b(c)
		}
	}
}

// says returns a behaviour that answers with a text and closes the connection.
func says(text string) Behaviour { return afterRequest(func(c *Conn) { c.Say(text) }) }

// Silent reads the request and never responds.
var Silent Behaviour = afterRequest(func(c *Conn) { c.Hang() })

// Mute reads everything and writes nothing.
var Mute Behaviour = func(c *Conn) { c.Hang() }

// Banner writes the greeting of another protocol before any request.
var Banner Behaviour = func(c *Conn) {
	c.Say("SSH-2.0-OpenSSH_9.9\r\n")
	c.Hang()
}

// ResetOnAccept breaks the connection at once.
var ResetOnAccept Behaviour = func(c *Conn) { c.Reset() }

// ResetInHeaders breaks the connection inside the response's header.
var ResetInHeaders Behaviour = afterRequest(func(c *Conn) {
	c.Say("HTTP/1.1 200 OK\r\nContent-Type: te")
	c.Reset()
})

// ResetAfterHeaders breaks the connection after the response's header.
var ResetAfterHeaders Behaviour = afterRequest(func(c *Conn) {
	c.Say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
	c.Reset()
})

// ResetInBody breaks the connection inside the response's body.
var ResetInBody Behaviour = afterRequest(func(c *Conn) {
	c.Say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + strings.Repeat("x", 50))
	c.Reset()
})

// SlowHeaders never ends its header.
var SlowHeaders Behaviour = afterRequest(func(c *Conn) {
	c.Say("HTTP/1.1 200 OK\r\n")
	c.Drip("X-More: and more\r\n", pause, true)
})

// SlowBody never ends its body.
var SlowBody Behaviour = afterRequest(func(c *Conn) {
	c.Say("HTTP/1.1 200 OK\r\n\r\n")
	c.Drip("x", pause, true)
})

// EndlessBody writes a body as fast as it is read.
var EndlessBody Behaviour = afterRequest(func(c *Conn) {
	c.Say("HTTP/1.1 200 OK\r\n\r\n")
	for _, err := c.Write(zeros); err == nil; {
		_, err = c.Write(zeros)
	}
})

var zeros = make([]byte, 64<<10)

// GzipBomb is an endless body that is compressed to a thousandth.
var GzipBomb Behaviour = afterRequest(func(c *Conn) {
	member := bomb()
	c.Say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
	for _, err := c.Write(member); err == nil; {
		_, err = c.Write(member)
	}
})

// bomb returns 10 MB of zeros as one gzip member; consecutive members are one file.
var bomb = sync.OnceValue(func() []byte {
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	for range 160 {
		_, _ = w.Write(zeros) // into memory
	}
	_ = w.Close()
	return buffer.Bytes()
})

// HugeHeader responds with a header of 1 MB.
var HugeHeader Behaviour = afterRequest(func(c *Conn) {
	c.Say("HTTP/1.1 200 OK\r\n")
	for range 1 << 6 {
		if !c.Say(strings.Repeat("X-More: "+strings.Repeat("x", 1014)+"\r\n", 16)) {
			return
		}
	}
	c.Say("\r\n")
})

// InformationalFlood sends informational responses forever.
var InformationalFlood Behaviour = afterRequest(func(c *Conn) {
	for c.Say(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n", 100)) {
	}
})

// ShortBody closes the connection before the announced length.
var ShortBody = says("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort")

// TwoLengths announces two lengths.
var TwoLengths = says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshorts")

// NegativeLength announces a negative length.
var NegativeLength = says("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nshort")

// LongBody writes more than the announced length: a second, unsolicited response.
var LongBody = says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")

// MalformedChunks sends an invalid chunked body.
var MalformedChunks = says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nshort\r\n0\r\n\r\n")

// HugeChunk announces a chunk of nearly 2^64 bytes.
var HugeChunk = says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff0\r\nshort")

// NotHTTP responds in another protocol.
var NotHTTP = says("SSH-2.0-OpenSSH_9.9\r\n")

// OK is not hostile; it is for comparison and for servers with false certificates.
var OK = says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

// Redirect redirects to a location.
func Redirect(code int, location string) Behaviour {
	return says(fmt.Sprintf("HTTP/1.1 %d Elsewhere\r\nLocation: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", code, location))
}

// Failing returns the behaviour with the status 500 instead of 200.
func Failing(b Behaviour) Behaviour {
	return func(c *Conn) {
		failing := *c
		failing.Conn = rewritten{c.Conn}
		b(&failing)
	}
}

// rewritten changes the status of the response that is written to it.
type rewritten struct{ net.Conn }

func (r rewritten) Write(p []byte) (int, error) {
	if rest, ok := bytes.CutPrefix(p, []byte("HTTP/1.1 200 OK")); ok {
		if _, err := r.Conn.Write([]byte("HTTP/1.1 500 No")); err != nil {
			return 0, err
		}
		n, err := r.Conn.Write(rest)
		return n + len(p) - len(rest), err
	}
	return r.Conn.Write(p)
}
