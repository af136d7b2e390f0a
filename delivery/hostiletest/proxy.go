package hostiletest

import (
	"io"
	"net"
	"net/http"
	"sync"
)

// Proxy is an HTTP proxy that supports only CONNECT. route returns to which receiver on this
// machine, as host:port, a request is connected, whatever it asks for; if that is empty,
// answer is what the proxy responds instead.
func Proxy(route func(*http.Request) (to, answer string)) Behaviour {
	return func(c *Conn) {
		req, err := http.ReadRequest(c.reader)
		if err != nil {
			return
		}
		to, answer := route(req)
		if to == "" {
			c.Say(answer)
			return
		}
		receiver, err := net.Dial("tcp", to)
		if err != nil {
			c.Say("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
			return
		}
		c.Say("HTTP/1.1 200 Connection established\r\n\r\n")
		var copying sync.WaitGroup
		copying.Go(func() {
			_, _ = io.Copy(receiver, c.reader)
			receiver.Close()
		})
		_, _ = io.Copy(c, receiver)
		c.Close()
		copying.Wait()
	}
}
