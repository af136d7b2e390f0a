package desktop_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"segue/gateway/desktop"
)

// raw opens a WebSocket of which the test writes the bytes itself.
func (w *world) raw() (net.Conn, *bufio.Reader) {
	w.t.Helper()
	address := strings.TrimSuffix(strings.TrimPrefix(w.url, "ws://"), desktop.Path)
	conn, err := net.Dial("tcp", address)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(w.t, conn.SetDeadline(time.Now().Add(within)))
	_, err = io.WriteString(conn, "GET "+desktop.Path+" HTTP/1.1\r\nHost: "+address+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n")
	require.NoError(w.t, err)
	reader := bufio.NewReader(conn)
	answer, err := http.ReadResponse(reader, nil)
	require.NoError(w.t, err)
	require.NoError(w.t, answer.Body.Close())
	require.Equal(w.t, http.StatusSwitchingProtocols, answer.StatusCode)
	return conn, reader
}

// closeCode reads frames of the server until a close frame, and returns its code.
func closeCode(t *testing.T, reader io.Reader) websocket.StatusCode {
	t.Helper()
	for {
		header := make([]byte, 2)
		_, err := io.ReadFull(reader, header)
		require.NoError(t, err, "no close frame")
		require.Less(t, header[1], byte(126), "a short frame without a mask")
		payload := make([]byte, header[1])
		_, err = io.ReadFull(reader, payload)
		require.NoError(t, err)
		if header[0] == 0x88 {
			require.GreaterOrEqual(t, len(payload), 2)
			return websocket.StatusCode(int(payload[0])<<8 | int(payload[1]))
		}
	}
}

func TestAFrameThatBreaksTheProtocolClosesTheWebSocketWithACode(t *testing.T) {
	w := newWorld(t)
	for name, row := range map[string]struct {
		frame string
		code  websocket.StatusCode
	}{
		"no mask":                    {"\x81\x02{}", websocket.StatusProtocolError},
		"no mask, a ping":            {"\x89\x00", websocket.StatusProtocolError},
		"a reserved bit":             {"\xc1\x82\x00\x00\x00\x00{}", websocket.StatusProtocolError},
		"an unknown opcode":          {"\x83\x82\x00\x00\x00\x00{}", websocket.StatusProtocolError},
		"a continuation of nothing":  {"\x80\x82\x00\x00\x00\x00{}", websocket.StatusProtocolError},
		"a control frame in parts":   {"\x09\x80\x00\x00\x00\x00", websocket.StatusProtocolError},
		"a message of more than 1 M": {"\x81\xff\x00\x00\x00\x00\x00\x20\x00\x00\x00\x00\x00\x00" + strings.Repeat(" ", 2<<20), websocket.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			conn, reader := w.raw()
			go func() { _, _ = io.WriteString(conn, row.frame) }() // the server need not read all of it
			require.Equal(t, row.code, closeCode(t, reader))
		})
	}
}
