package bayeux_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Requests as clients write them, byte by byte.
func TestRequestsOnTheWire(t *testing.T) {
	body := encoded(t, []fields{handshakeMessage(nil)})
	const head = "POST /cometd HTTP/1.1\r\nHost: server\r\nX-Key: anna\r\n"
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"with a length":         {head + fmt.Sprintf("Content-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n\r\n%s", len(body), body), http.StatusOK},
		"in chunks":             {head + fmt.Sprintf("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", body[:5], len(body)-5, body[5:]), http.StatusOK},
		"HTTP/1.0":              {strings.Replace(head, "1.1", "1.0", 1) + fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body), http.StatusOK},
		"media type in capital": {head + fmt.Sprintf("content-type: Application/JSON\r\nContent-Length: %d\r\n\r\n%s", len(body), body), http.StatusOK},
		"no body":               {head + "Content-Type: application/json\r\nContent-Length: 0\r\n\r\n", http.StatusBadRequest},
		"large by its length":   {head + "Content-Type: application/json\r\nContent-Length: 1048576\r\n\r\n" + strings.Repeat(" ", 1<<20), http.StatusRequestEntityTooLarge},
		"large in chunks":       {head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" + strings.Repeat(" ", 1<<20) + "\r\n0\r\n\r\n", http.StatusRequestEntityTooLarge},
		"broken upgrade":        {"GET /cometd HTTP/1.1\r\nHost: server\r\nX-Key: anna\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				conn, err := w.network.dial(t.Context(), "", "")
				require.NoError(t, err)
				defer conn.Close()
				go func() { _, _ = io.WriteString(conn, c.request) }() // the server need not read all
				before := time.Now()
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				require.NoError(t, err)
				require.Equal(t, c.status, response.StatusCode)
				require.Less(t, time.Since(before), time.Minute)
				require.NoError(t, response.Body.Close())
			})
		})
	}
}

// A request that breaks in its middle has no effect.
func TestHalfARequestHasNoEffect(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		s.subscribe(t, "/t/a")
		body := encoded(t, []fields{s.message("/meta/disconnect", nil)})
		for at := range body {
			conn, err := w.network.dial(t.Context(), "", "")
			require.NoError(t, err)
			_, err = fmt.Fprintf(conn, "POST /cometd HTTP/1.1\r\nHost: server\r\nX-Key: anna\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:at])
			require.NoError(t, err)
			synctest.Wait()
			require.NoError(t, conn.Close())
		}
		synctest.Wait()
		w.publish("/t/a", "1")
		require.Equal(t, []int{1}, numbers(t, s.poll(t)))
	})
}

// Clients may send further requests on a connection without waiting for answers.
func TestPipelinedRequests(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		s.subscribe(t, "/t/a")
		conn, err := w.network.dial(t.Context(), "", "")
		require.NoError(t, err)
		defer conn.Close()
		requests := ""
		for _, message := range []fields{s.connectMessage(fields{"id": "1", "advice": fields{"timeout": 5000}}), s.message("/meta/subscribe", fields{"id": "2", "subscription": "/t/b"})} {
			body := encoded(t, []fields{message})
			requests += fmt.Sprintf("POST /cometd HTTP/1.1\r\nHost: server\r\nX-Key: anna\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
		go func() { _, _ = io.WriteString(conn, requests) }()
		reader := bufio.NewReader(conn)
		for _, id := range []string{`"id":"1"`, `"id":"2"`} {
			response, err := http.ReadResponse(reader, nil)
			require.NoError(t, err)
			text, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Contains(t, string(text), id)
		}
	})
}
