package cometd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"segue/gateway/cometd"
)

func TestTheReplyToAHandshake(t *testing.T) {
	w := newWorld(t)
	a := w.do(t.Context(), handshakeText(`{"ack":true}`))
	id, _ := a.messages[0]["clientId"].(string)
	if len(id) < 26 {
		t.Errorf("clientId %q can be guessed", id)
	}
	want := `[{"id":"1","channel":"/meta/handshake","successful":true,"version":"1.0","clientId":"` + id +
		`","supportedConnectionTypes":["websocket","long-polling"],"ext":{"ack":true},"advice":{"reconnect":"retry","interval":0,"timeout":30000,"maxInterval":60000}}]`
	if a.body != want {
		t.Errorf("got %s, want %s", a.body, want)
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %s", got)
	}
}

func TestTheBrowserHasACookie(t *testing.T) {
	var seen []string
	w := newWorld(t, func(_ *world, o *cometd.Options) {
		o.Open = func(h *cometd.Handshake) (*cometd.Peer, error) {
			seen = append(seen, h.Browser)
			return &cometd.Peer{}, nil
		}
	})
	a := w.do(t.Context(), handshakeText(""))
	name, value, _ := strings.Cut(a.header.Get("Set-Cookie"), "=")
	value, _, _ = strings.Cut(value, ";")
	if name != "BAYEUX_BROWSER" || len(value) < 26 {
		t.Fatalf("Set-Cookie %q", a.header.Get("Set-Cookie"))
	}
	w.post(subscribeText(a.messages[0]["clientId"].(string), `"/a"`))
	if got := w.session().Handshake().Browser; got != value {
		t.Errorf("the session's browser is %q, the cookie %q", got, value)
	}
	b := w.do(t.Context(), handshakeText(""), "Cookie", "BAYEUX_BROWSER="+value)
	if got := b.header.Get("Set-Cookie"); got != "" {
		t.Errorf("a browser with a cookie got %q", got)
	}
	if fmt.Sprint(seen) != fmt.Sprint([]string{"", value}) {
		t.Errorf("handshakes saw %q", seen)
	}
}

func TestWhichHandshakesAreDenied(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"among others", `[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]},{"channel":"/a"}]`, "400::handshake_not_alone"},
		{"another version", `{"channel":"/meta/handshake","version":"2.0","supportedConnectionTypes":["long-polling"]}`, "400::unsupported_version"},
		{"no common connection type", `{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["callback-polling"]}`, "400::unsupported_connection_types"},
		{"no connection type", `{"channel":"/meta/handshake","version":"1.0"}`, "400::unsupported_connection_types"},
		{"a connection type that is none", `{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":[1]}`, "400::unsupported_connection_types"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if reply := w.post(c.body)[0]; reply["error"] != c.want || reply["successful"] != false || reply["clientId"] != nil {
				t.Errorf("got %v, want %s", reply, c.want)
			}
			if w.server.Sessions() != 0 {
				t.Error("there is a session")
			}
		})
	}
}

func TestTheApplicationDeniesHandshakes(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name string
		peer *cometd.Peer
		err  error
		want string
	}{
		{"any error", nil, errors.New("secret"), `"error":"403::handshake_denied","advice":{"reconnect":"none"}`},
		{"its own", nil, &cometd.DeniedError{Code: 429, Text: "too_many_sessions", RetryAfter: 10 * time.Second},
			`"error":"429::too_many_sessions","advice":{"reconnect":"handshake","interval":10000}`},
		{"nobody", nil, nil, `"error":"403::handshake_denied","advice":{"reconnect":"none"}`},
		{"an ended credential", &cometd.Peer{Context: ended}, nil, `"error":"403::handshake_denied","advice":{"reconnect":"none"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(_ *world, o *cometd.Options) {
				o.Open = func(h *cometd.Handshake) (*cometd.Peer, error) {
					if h.Token != "t" || string(h.Ext) != `{"authentication":{"token":"t"}}` {
						t.Errorf("the handshake had %q, %s", h.Token, h.Ext)
					}
					return c.peer, c.err
				}
			})
			want := `[{"id":"1","channel":"/meta/handshake","successful":false,` + c.want + `}]`
			if a := w.do(t.Context(), handshakeText(`{"authentication":{"token":"t"}}`)); a.body != want || a.header.Get("Set-Cookie") != "" {
				t.Errorf("got %s %v, want %s", a.body, a.header, want)
			}
		})
	}
}

func TestRepliesRepeatTheIDAsItCame(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{`"7"`, `7`, `1.0e3`, `"<a\u0041>"`, `null`, `{"a" : 1}`, `true`} {
		if a := w.do(t.Context(), `[{"id":`+id+`,"channel":"/a"}]`); !strings.Contains(a.body, `"id":`+id+`,`) {
			t.Errorf("%s: %s", id, a.body)
		}
	}
	if a := w.do(t.Context(), `{"channel":"/a"}`); strings.Contains(a.body, `"id"`) {
		t.Errorf("without an id: %s", a.body)
	}
}

func TestErrorsOfMessages(t *testing.T) {
	w := newWorld(t)
	id := w.open("", "/a")
	other := w.handshake("", "X-Key", "another")
	for _, c := range []struct{ message, want string }{
		{`{"id":1}`, "400::channel_missing"},
		{`{"channel":null,"clientId":"ID"}`, "400::channel_missing"},
		{`{"channel":7,"clientId":"ID"}`, "400::channel_missing"},
		{`{"channel":"","clientId":"ID"}`, "400::channel_missing"},
		{`{"channel":"/meta/","clientId":"ID"}`, "404::unknown_channel"},
		{`{"channel":"/meta/connect/","clientId":"ID"}`, "404::unknown_channel"},
		{`{"channel":"/meta/Connect","clientId":"ID"}`, "404::unknown_channel"},
		{`{"channel":"/metal","clientId":"ID"}`, "403::publish_denied"},
		{`{"channel":"/a","clientId":"ID","data":{}}`, "403::publish_denied"},
		{`{"channel":"/service/a","clientId":"ID","data":{}}`, "403::publish_denied"},
		{`{"channel":"/a"}`, "402::session_unknown"},
		{`{"channel":"/a","clientId":7}`, "402::session_unknown"},
		{`{"channel":"/a","ClientID":"ID"}`, "402::session_unknown"},
		{`{"channel":"/meta/connect","clientId":"none","connectionType":"long-polling"}`, "402::session_unknown"},
		{`{"channel":"/meta/subscribe","clientId":"OTHER","subscription":"/a"}`, "402::session_unknown"},
		{`{"channel":"/meta/unsubscribe","clientId":"OTHER","subscription":"/a"}`, "402::session_unknown"},
		{`{"channel":"/meta/disconnect","clientId":"OTHER"}`, "402::session_unknown"},
		{`{"channel":"/meta/connect","clientId":"ID","connectionType":"callback-polling"}`, "400::unsupported_connection_type"},
		{`{"channel":"/meta/connect","clientId":"ID","connectionType":null}`, "400::unsupported_connection_type"},
		{`{"channel":"/meta/subscribe","clientId":"ID"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":[]}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":7}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":["/b",7]}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/denied"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/denied/"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/meta/connect"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/meta/**"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"a"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/a//b"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/*/b"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/a*"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/a/***"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/a\u0000"}`, "403::subscribe_denied"},
		{`{"channel":"/meta/subscribe","clientId":"ID","subscription":"/` + strings.Repeat("x", 256) + `"}`, "403::subscribe_denied"},
	} {
		body := strings.NewReplacer("OTHER", other, `"ID"`, `"`+id+`"`).Replace(c.message)
		reply := w.post(body)[0]
		if reply["error"] != c.want || reply["successful"] != false {
			t.Errorf("%s: got %v, want %s", c.message, reply, c.want)
		}
		advice := fmt.Sprint(reply["advice"])
		if isUnknown := c.want == "402::session_unknown"; isUnknown != (advice == "map[interval:0 reconnect:handshake]") {
			t.Errorf("%s: advice %s", c.message, advice)
		}
	}
	if w.server.Sessions() != 2 {
		t.Errorf("%d sessions", w.server.Sessions())
	}
	if w.session().Wants("/b") {
		t.Error("a subscription of a denied message counts")
	}
}

func TestASessionWithoutAKeyBelongsToWhoeverKnowsIt(t *testing.T) {
	w := newWorld(t)
	id := w.handshake("")
	if reply := w.post(subscribeText(id, `"/a"`), "X-Key", "anybody")[0]; reply["successful"] != true {
		t.Errorf("got %v", reply)
	}
}

func TestSubscriptionsAreEchoed(t *testing.T) {
	w := newWorld(t)
	id := w.handshake("")
	for _, kind := range []string{"subscribe", "unsubscribe"} {
		for _, subscription := range []string{`"/a"`, `["/a", "/b/"]`} {
			body := strings.Replace(subscribeText(id, subscription), "subscribe", kind, 1)
			want := `[{"id":"s","channel":"/meta/` + kind + `","clientId":"` + id + `","subscription":` + subscription + `,"successful":true}]`
			if a := w.do(t.Context(), body); a.body != want {
				t.Errorf("got %s, want %s", a.body, want)
			}
		}
	}
}

func TestDeliveryFollowsSubscriptions(t *testing.T) {
	for _, c := range []struct{ subscriptions, delivered, want string }{
		{"/a/b", "/a/b /a /a/b/c /a/bc /", "/a/b"},
		{"/a/b/", "/a/b", "/a/b/"},
		{"/a/b/ /a/b", "/a/b", "/a/b"},
		{"/a/b /**  /* /a/*", "/a/b", "/a/b"},
		{"/a/b/ /**", "/a/b /a/c", "/a/b/ /a/c"},
		{"/*", "/a /a/b", "/a"},
		{"/a/*", "/a /a/b /a/b/c /b/b", "/a/b"},
		{"/a/**", "/a /a/b /a/b/c /ab/c", "/a/b /a/b/c"},
		{"/**", "/a /a/b /a/b/c", "/a /a/b /a/b/c"},
		{"/a/*/", "/a/b", "/a/b"},
	} {
		t.Run(c.subscriptions, func(t *testing.T) {
			w := newWorld(t)
			id := w.open("", strings.Fields(c.subscriptions)...)
			for _, channel := range strings.Fields(c.delivered) {
				w.session().Deliver(channel, json.RawMessage(`0`))
			}
			var got []string
			for _, m := range w.post(connectText(id, `,"advice":{"timeout":0}`)) {
				if m["data"] != nil {
					got = append(got, m["channel"].(string))
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

func TestNothingComesAfterUnsubscribe(t *testing.T) {
	for _, ext := range []string{`{}`, `{"ack":true}`} {
		w := newWorld(t)
		id := w.open(ext, "/a", "/b")
		deliver(w.session(), 1)
		w.session().Deliver("/b", json.RawMessage(`2`))
		a := w.do(t.Context(), strings.Replace(subscribeText(id, `"/a"`), "subscribe", "unsubscribe", 1))
		deliver(w.session(), 3)
		w.session().Deliver("/b", json.RawMessage(`4`))
		b := w.do(t.Context(), connectText(id, `,"advice":{"timeout":0}`))
		if got := strings.Count(a.body+b.body, `"channel":"/a"`); got != 0 || strings.Count(a.body+b.body, `"channel":"/b"`) != 2 {
			t.Errorf("%s: %s %s", ext, a.body, b.body)
		}
	}
}

func TestSubscribedGetsWhatIsNew(t *testing.T) {
	var got []string
	w := newWorld(t, func(_ *world, o *cometd.Options) {
		o.Subscribed = func(_ *cometd.Session, subscriptions []string) { got = append(got, fmt.Sprint(subscriptions)) }
	})
	id := w.handshake("")
	for _, subscription := range []string{`"/a"`, `"/a"`, `["/b/","/a","/b"]`, `"/a/"`, `["/c","/denied"]`} {
		w.post(subscribeText(id, subscription))
	}
	if want := "[[/a] [/b]]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestDisconnectEndsTheSessionAndItsHeldConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.open("", "/a")
		held := w.start(t.Context(), connectText(id, ""))
		synctest.Wait()
		body := fmt.Sprintf(`[{"id":"d","channel":"/meta/disconnect","clientId":%q}]`, id)
		if a := w.do(t.Context(), body); a.body != `[{"id":"d","channel":"/meta/disconnect","clientId":"`+id+`","successful":true}]` {
			t.Errorf("got %s", a.body)
		}
		want := `[{"id":"c","channel":"/meta/connect","clientId":"` + id + `","successful":true,"advice":{"reconnect":"none"}}]`
		if a := <-held; a.body != want {
			t.Errorf("the held connect got %s, want %s", a.body, want)
		}
		if w.server.Sessions() != 0 || w.ends()[cometd.EndDisconnect] != 1 {
			t.Errorf("%d sessions, ends %v", w.server.Sessions(), w.ends())
		}
		if reply := w.post(body)[0]; reply["error"] != "402::session_unknown" {
			t.Errorf("a second disconnect: %v", reply)
		}
	})
}

func TestRequestsThatAreNoBayeux(t *testing.T) {
	w := newWorld(t)
	long := `[{"channel":"/a","data":"` + strings.Repeat("x", 64<<10) + `"}]`
	for _, c := range []struct {
		name, body, contentType string
		want                    int
	}{
		{"nothing", "", "application/json", 400},
		{"space", " \n", "application/json", 400},
		{"no JSON", "[{", "application/json", 400},
		{"more than JSON", "[] []", "application/json", 400},
		{"a text", `"a"`, "application/json", 400},
		{"a number", `1`, "application/json", 400},
		{"null", `null`, "application/json", 400},
		{"an array of others", `[[]]`, "application/json", 400},
		{"an array of null", `[null]`, "application/json", 400},
		{"a field twice", `[{"channel":"/a","channel":"/b"}]`, "application/json", 400},
		{"a field twice, written differently", `[{"channel":"/a","ch\u0061nnel":"/b"}]`, "application/json", 400},
		{"deep", `[{"channel":"/a","data":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}]`, "application/json", 400},
		{"many", "[" + strings.Repeat(`{"channel":"/a"},`, 100) + `{"channel":"/a"}]`, "application/json", 400},
		{"no UTF-8", "[{\"channel\":\"/\xff\"}]", "application/json", 400},
		{"large", long, "application/json", 413},
		{"a form", `message=[]`, "application/x-www-form-urlencoded", 415},
		{"a form of parts", `[]`, "Multipart/Form-Data; boundary=x", 415},
		{"an empty array", `[]`, "application/json", 200},
		{"text/json", `[]`, "text/json;charset=utf-8", 200},
		{"no media type", `[]`, "", 200},
		{"an object", `{"channel":"/a"}`, "application/json", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a := w.do(t.Context(), c.body, "Content-Type", c.contentType); a.status != c.want || a.err != nil {
				t.Errorf("got %d %s, %v", a.status, a.body, a.err)
			}
		})
	}
	if a := w.do(t.Context(), `[]`); a.body != `[]` {
		t.Errorf("an empty array is answered %s", a.body)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodHead} {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://cometd.test/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := w.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != 405 || response.Header.Get("Allow") != "POST" {
			t.Errorf("%s: %d %v", method, response.StatusCode, response.Header)
		}
	}
}
