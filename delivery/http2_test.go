package delivery_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

// Most receivers with TLS use HTTP/2, which fails in ways of its own.
func TestHostileReceiversInHTTP2(t *testing.T) {
	retry, final, delivered := contract.VerdictRetry, contract.VerdictFinal, contract.VerdictDelivered
	authority := hostiletest.NewAuthority(t)
	flushed := func(w http.ResponseWriter, text string) bool {
		_, err := io.WriteString(w, text)
		return err == nil && http.NewResponseController(w).Flush() == nil
	}
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		class   string
		verdict contract.Verdict
		message string
		slow    bool
	}{
		{"silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "timeout", retry, "no answer within", true},
		{"reset", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "reset", retry, "broke", false},
		{"reset in the body", func(w http.ResponseWriter, _ *http.Request) {
			flushed(w, "some")
			panic(http.ErrAbortHandler)
		}, "ok", delivered, "broke off", false},
		{"slow body", func(w http.ResponseWriter, r *http.Request) {
			for flushed(w, "x") && r.Context().Err() == nil {
				time.Sleep(10 * time.Millisecond)
			}
		}, "ok", delivered, "did not end in time", true},
		{"endless body", func(w http.ResponseWriter, _ *http.Request) {
			for flushed(w, strings.Repeat("x", 64<<10)) {
			}
		}, "ok", delivered, "longer than", false},
		{"huge header", func(w http.ResponseWriter, _ *http.Request) {
			for range 1 << 10 {
				w.Header().Add("X-More", strings.Repeat("x", 1<<10))
			}
		}, "too_large", final, "too large", false},
		{"1xx flood", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</style.css>")
			for r.Context().Err() == nil {
				w.WriteHeader(http.StatusEarlyHints)
			}
		}, "too_large", final, "too large", false},
		{"short body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "50")
			flushed(w, "short")
		}, "ok", delivered, "broke off", false},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "redirect", retry, "HTTP 307", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(tc.handler)
			server.EnableHTTP2 = true
			server.Config.ErrorLog = quiet()
			server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Issue(t, hostiletest.Leaf{})}}
			server.StartTLS()
			t.Cleanup(server.Close)
			policy := newPolicy()
			if tc.slow {
				policy.Timeout = time.Second
			}
			sender := senderWith(t, delivery.Options{Guard: guardOf(t, outside), Roots: authority.Pool()})
			peak := watchHeap(t)
			o := sendInTime(t, sender, policy, server.URL)
			assert.Equal(t, tc.class, o.Class, o.Message)
			assert.Equal(t, tc.verdict, o.Verdict)
			assert.Contains(t, o.Message, tc.message)
			assert.Less(t, peak(), int64(64<<20))
		})
	}
}

// Frames that a standard server cannot send.
func TestHostileFramesOfHTTP2(t *testing.T) {
	authority := hostiletest.NewAuthority(t)
	for name, tc := range map[string]struct {
		frames  func(f *http2.Framer, id uint32) error // for one request
		classes []string
		slow    bool
	}{
		"goaway": {func(f *http2.Framer, _ uint32) error {
			return f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("10.0.0.7 "+canary))
		}, []string{"reset"}, false},
		"refused stream": {func(f *http2.Framer, id uint32) error {
			return f.WriteRSTStream(id, http2.ErrCodeRefusedStream)
		}, []string{"reset", "timeout"}, true},
		"internal error": {func(f *http2.Framer, id uint32) error {
			return f.WriteRSTStream(id, http2.ErrCodeInternal)
		}, []string{"reset"}, false},
		"endless header": {func(f *http2.Framer, id uint32) error {
			err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: fields(":status", "200"), EndHeaders: false})
			for n := 0; err == nil && n < 1<<14; n++ {
				err = f.WriteContinuation(id, false, fields("x-more", strings.Repeat("x", 1<<10)))
			}
			return err
		}, []string{"protocol"}, false},
		"compressed header": {func(f *http2.Framer, id uint32) error {
			// One long value in the table, and then a thousand bytes that name it.
			block := append(fields(":status", "200"), fields("x-bomb", strings.Repeat("x", 4000))...)
			for range 1000 {
				block = append(block, 0x80|62)
			}
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true})
		}, []string{"too_large"}, false},
		"pings": {func(f *http2.Framer, _ uint32) error {
			for {
				if err := f.WritePing(false, [8]byte{}); err != nil {
					return err
				}
			}
		}, []string{"timeout"}, true},
		"settings": {func(f *http2.Framer, _ uint32) error {
			for {
				if err := f.WriteSettings(); err != nil {
					return err
				}
			}
		}, []string{"timeout", "reset", "protocol"}, true},
		"nonsense": {func(f *http2.Framer, id uint32) error {
			return f.WriteData(id+100, false, []byte("for nobody"))
		}, []string{"protocol"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(nil)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Issue(t, hostiletest.Leaf{})}, NextProtos: []string{"h2"}}
			server.Config.ErrorLog = quiet()
			var serving sync.WaitGroup
			server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) {
				serving.Add(1)
				defer serving.Done()
				speak(c, tc.frames)
			}}
			server.StartTLS()
			t.Cleanup(func() {
				server.CloseClientConnections()
				server.Close()
				serving.Wait()
			})
			policy := newPolicy()
			if tc.slow {
				policy.Timeout = 500 * time.Millisecond
			}
			sender := senderWith(t, delivery.Options{Guard: guardOf(t, outside), Roots: authority.Pool()})
			peak := watchHeap(t)
			o := sendInTime(t, sender, policy, server.URL)
			assert.Contains(t, tc.classes, o.Class, o.Message)
			assert.NotContains(t, o.Message, canary)
			assertNoAddress(t, o)
			assert.Less(t, peak(), int64(64<<20))
		})
	}
}

// speak serves a connection and answers every request with the same frames.
func speak(c io.ReadWriter, answer func(f *http2.Framer, id uint32) error) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c, preface); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	if f.WriteSettings() != nil {
		return
	}
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		if headers, ok := frame.(*http2.HeadersFrame); ok && answer(f, headers.StreamID) != nil {
			return
		}
	}
}

// fields returns a header block with one field, which enters the table if it fits.
func fields(name, value string) []byte {
	var block strings.Builder
	if err := hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: name, Value: value}); err != nil {
		panic(err) // into memory
	}
	return []byte(block.String())
}
