package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// TestMutatedRequests takes a good request of each operation of the document, changes some of its bytes,
// and sends it. No answer is 500, and nothing in the log is a defect. SEGUE_FUZZ is how many requests there
// are for each operation; SEGUE_SEED repeats a run.
func TestMutatedRequests(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"mutated","channel":"inbound"}`)
	seed := uint64(numberOf("SEGUE_SEED", int(rand.Int32())))
	t.Logf("SEGUE_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	group := errgroup.Group{}
	group.SetLimit(16)
	for _, o := range operations(t) {
		for range numberOf("SEGUE_FUZZ", 8) {
			text := mutated(random, o.text("mutated"))
			group.Go(func() error { return answersWell(text) })
		}
	}
	require.NoError(t, group.Wait())
	for _, defect := range []string{"a request panicked", "a request failed", `"status":500`} {
		require.NotContains(t, served.log.String(), defect)
	}
	thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions", "")
}

func numberOf(variable string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return usual
}

// text returns the request as it is sent.
func (o operation) text(id string) string {
	return fmt.Sprintf("%s %s?contact_center=acme HTTP/1.1\r\nHost: segue\r\nX-API-Key: %s\r\nSegue-Contact-Center: acme\r\nIdempotency-Key: k\r\n"+
		"If-None-Match: \"x\"\r\nLast-Event-ID: 0-1-2\r\nAccept: application/json\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		o.method, o.at(id), thePlatform.key(), len(o.body), o.body)
}

// pieces are what mutations insert.
var pieces = []string{
	"\x00", "\r\n", "\n", "\r", " ", "\t", "%", "%00", "%2f", "%", "/", "..", "//", "?", "&", ";", "=", ":", ",", "\"", "'", "\\", "{", "}", "[", "]", "\\u0000", "\\ud800",
	"\xff", "\xc0\x80", "\u2028", "-1", "0", "9999999999999999999999", "1e400", "null", "true", "NaN", "chunked", "Transfer-Encoding: chunked\r\n", "Content-Length: 3\r\n",
	"Expect: 100-continue\r\n", "Upgrade: websocket\r\nConnection: Upgrade\r\n", "Range: bytes=0-\r\n", "Cookie: segue_session=x\r\n", "Origin: null\r\n",
	strings.Repeat("A", 5000), strings.Repeat("[", 500), "contact_center=umbrella", "limit=-1", "cursor=AAAA", "fields=*", "state=queued", "\"by\":{\"id\":\"x\"}",
	"\"source_sequence\":9223372036854775807", "\"at\":\"0000-00-00\"", "\"event_id\":\"\"", "\"id\":\"\"",
}

// mutated changes a text in one to four places.
func mutated(random *rand.Rand, text string) string {
	for range 1 + random.IntN(4) {
		from := random.IntN(len(text))
		to := min(len(text), from+random.IntN(12))
		switch piece := pieces[random.IntN(len(pieces))]; random.IntN(5) {
		case 0:
			text = text[:from] + text[to:]
		case 1:
			text = text[:to] + text[from:]
		case 2:
			text = text[:from] + string(rune(random.IntN(256))) + text[from+1:]
		case 3:
			text = text[:from] + piece + text[from:]
		default:
			text = text[:from] + piece + text[to:]
		}
		if text == "" {
			text = " "
		}
	}
	return text
}

// answersWell sends a text. The server may wait for more, or refuse it; it must not fail.
func answersWell(text string) error {
	conn, err := net.Dial("tcp", strings.TrimPrefix(served.url, "http://"))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	_, _ = io.WriteString(conn, text) // it may be refused before it is read
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil // the server waits for more, or has ended the connection
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusInternalServerError {
		return fmt.Errorf("%q is answered with 500", text)
	}
	return nil
}
