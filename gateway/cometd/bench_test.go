package cometd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"segue/gateway/cometd"
)

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkPoll is a change of two messages for a session, and the connect that acknowledges the one before.
func BenchmarkPoll(b *testing.B) {
	var session *cometd.Session
	s := cometd.New(cometd.Options{
		Grants:     func(*cometd.Session, string) bool { return true },
		Subscribed: func(s *cometd.Session, _ []string) { session = s },
	})
	defer s.Close()
	post := func(w http.ResponseWriter, body string) {
		r := &http.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}, "Cookie": {"BAYEUX_BROWSER=b"}},
			Body: io.NopCloser(strings.NewReader(body))}
		s.ServeHTTP(w, r.WithContext(context.Background()))
	}
	opened := httptest.NewRecorder()
	post(opened, `[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"],"ext":{"ack":true}}]`)
	var replies []struct{ ClientID string }
	if err := json.Unmarshal(opened.Body.Bytes(), &replies); err != nil {
		b.Fatal(err)
	}
	id := replies[0].ClientID
	post(&discard{http.Header{}}, fmt.Sprintf(`[{"channel":"/meta/subscribe","clientId":%q,"subscription":["/v2/me/calls","/v2/me/interactions"]}]`, id))
	data := json.RawMessage(`{"data":"` + strings.Repeat("x", 800) + `"}`)
	b.ReportAllocs()
	for ack := 0; b.Loop(); ack++ {
		session.Deliver("/v2/me/calls", data)
		session.Deliver("/v2/me/interactions", data)
		post(&discard{http.Header{}}, fmt.Sprintf(
			`[{"id":"%d","channel":"/meta/connect","clientId":%q,"connectionType":"long-polling","ext":{"ack":%d}}]`, ack, id, ack))
	}
}
