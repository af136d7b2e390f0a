package hostiletest

import (
	"io"
	"net"
	"net/http"
	"sync"
)

// Proxy is an HTTP proxy that knows CONNECT alone. leads says where a request is led
// to, whatever it asks for: host:port of a receiver on this machine. Where that is
// empty, answer is what the proxy says instead.
func Proxy(leads func(*http.Request) (to, answer string)) Behaviour {
	return func(c *Conn) {
		req, err := http.ReadRequest(c.reader)
		if err != nil {
			return
		}
		to, answer := leads(req)
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
		var there sync.WaitGroup
		there.Go(func() {
			_, _ = io.Copy(receiver, c.reader)
			receiver.Close()
		})
		_, _ = io.Copy(c, receiver)
		c.Close()
		there.Wait()
	}
}
