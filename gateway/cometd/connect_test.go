package cometd_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"segue/gateway/cometd"
)

func TestAHeldConnectIsAnsweredWithAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.open("", "/a/b")
		held := w.start(t.Context(), connectText(id, ""))
		synctest.Wait()
		select {
		case a := <-held:
			t.Fatalf("it was not held: %+v", a)
		default:
		}
		w.session().Deliver("/a/b", []byte(`{"n":1}`))
		w.session().Deliver("/a/c", []byte(`{"n":2}`))
		a := <-held
		if want := `[{"channel":"/a/b","data":{"n":1}},{"id":"c","channel":"/meta/connect","clientId":"` + id + `","successful":true}]`; a.body != want {
			t.Errorf("got %s, %v, want %s", a.body, a.err, want)
		}
	})
}

func TestAConnectIsHeldForTheTimeout(t *testing.T) {
	for advice, want := range map[string]time.Duration{
		``:                                      30 * time.Second,
		`,"advice":{"timeout":5000}`:            5 * time.Second,
		`,"advice":{"timeout":90000}`:           30 * time.Second,
		`,"advice":{"timeout":0}`:               0,
		`,"advice":{"timeout":-1}`:              30 * time.Second,
		`,"advice":{"timeout":1e300}`:           30 * time.Second,
		`,"advice":{"timeout":"0"}`:             30 * time.Second,
		`,"advice":{"timeout":null}`:            30 * time.Second,
		`,"advice":17`:                          30 * time.Second,
		`,"advice":{"interval":1000000000000}`:  30 * time.Second,
		`,"advice":{"timeout":0,"interval":10}`: 0,
	} {
		t.Run(advice, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				id := w.open("")
				began := time.Now()
				w.post(connectText(id, advice))
				if took := time.Since(began); took != want {
					t.Errorf("it was held for %s, want %s", took, want)
				}
			})
		})
	}
}

// Clients that want to know at once that they are connected say so.
func TestTheFirstConnectIsHeldToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		began := time.Now()
		w.post(connectText(w.handshake(""), ""))
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestAConnectAmongOthersIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.open("")
		began := time.Now()
		connect := strings.Trim(connectText(id, ""), "[]")
		replies := w.post("[" + connect + "," + strings.Trim(subscribeText(id, `"/a"`), "[]") + "]")
		if took := time.Since(began); took != 0 || len(replies) != 2 {
			t.Errorf("it took %s: %v", took, replies)
		}
	})
}

func TestASecondConnectEndsTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.open("", "/a")
		first := w.start(t.Context(), connectText(id, ""))
		synctest.Wait()
		second := w.start(t.Context(), connectText(id, ""))
		synctest.Wait()
		if a := <-first; a.status != 408 {
			t.Errorf("the first got %d %s", a.status, a.body)
		}
		w.session().Deliver("/a", []byte(`1`))
		if a := <-second; len(a.messages) != 2 {
			t.Errorf("the second got %+v", a)
		}
	})
}

func TestAnAbortedConnectLosesNothing(t *testing.T) {
	for _, ext := range []string{`{}`, `{"ack":true}`} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			id := w.open(ext, "/a")
			ctx, abort := context.WithCancel(t.Context())
			gone := w.start(ctx, connectText(id, ""))
			synctest.Wait()
			abort()
			<-gone
			synctest.Wait()
			w.session().Deliver("/a", []byte(`1`))
			if replies := w.post(connectText(id, "")); len(replies) != 2 || replies[0]["data"] != 1.0 {
				t.Errorf("%s: %v", ext, replies)
			}
		})
	}
}

func TestASessionExpiresAfterItsLastConnect(t *testing.T) {
	for _, c := range []struct {
		name, connect string
		lives, dies   time.Duration
	}{
		{"without a connect", "", 59 * time.Second, 2 * time.Second},
		{"after a connect", `,"advice":{"timeout":0}`, 59 * time.Second, 2 * time.Second},
		{"after a held connect", `,"advice":{"timeout":20000}`, 79 * time.Second, 2 * time.Second},
		{"after an interval", `,"advice":{"timeout":0,"interval":30000}`, 89 * time.Second, 2 * time.Second},
		{"after the longest interval", `,"advice":{"timeout":0,"interval":1e12}`, 11*time.Minute - time.Second, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				id := w.handshake("")
				if c.connect != "" {
					w.post(connectText(id, ""))
					w.start(t.Context(), connectText(id, c.connect))
				}
				time.Sleep(c.lives)
				synctest.Wait()
				if got := w.server.Sessions(); got != 1 {
					t.Fatalf("%d sessions before the time", got)
				}
				time.Sleep(c.dies)
				synctest.Wait()
				if got := w.server.Sessions(); got != 0 || w.ends()[cometd.EndExpired] != 1 {
					t.Fatalf("%d sessions after the time, ends %v", got, w.ends())
				}
				replies := w.post(connectText(id, ""))
				if got := fmt.Sprint(replies[0]["error"], replies[0]["advice"]); got != "402::session_unknownmap[interval:0 reconnect:handshake]" {
					t.Errorf("got %s", got)
				}
			})
		})
	}
}
