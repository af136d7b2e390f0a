package cometd_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"segue/gateway/cometd"
)

func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		`[]`, `{}`, `[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"],"ext":{"ack":true}}]`,
		`[{"channel":"/meta/connect","clientId":"ID","connectionType":"long-polling","advice":{"timeout":0,"interval":5},"ext":{"ack":3}}]`,
		`[{"channel":"/meta/subscribe","clientId":"ID","subscription":["/a","/a/**"]},{"channel":"/meta/unsubscribe","clientId":"ID","subscription":"/a/"}]`,
		`[{"id":1e9,"channel":"/meta/disconnect","clientId":"ID"}]`, `[{"channel":"\u0000","id":"\ud800"}]`, "[{\"a\":\"\xff\"}]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := cometd.New(cometd.Options{Timeout: time.Millisecond, Grants: func(*cometd.Session, string) bool { return true }})
		defer s.Close()
		opened := fuzzed(s, `{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}`)
		var replies []struct{ ClientID string }
		if err := json.Unmarshal(opened.Body.Bytes(), &replies); err != nil {
			t.Fatal(err)
		}
		answer := fuzzed(s, strings.ReplaceAll(body, "ID", replies[0].ClientID))
		switch answer.Code {
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		case http.StatusOK:
			if !json.Valid(answer.Body.Bytes()) || answer.Body.Bytes()[0] != '[' {
				t.Errorf("the answer is no array: %q", answer.Body)
			}
		default:
			t.Errorf("status %d: %s", answer.Code, answer.Body)
		}
	})
}

func fuzzed(s *cometd.Server, body string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
	return recorder
}
