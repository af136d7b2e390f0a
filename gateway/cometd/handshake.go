package cometd

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// browserCookie is the cookie by which sessions of one browser are known.
const browserCookie = "BAYEUX_BROWSER"

const (
	typeWebSocket   = "websocket"
	typeLongPolling = "long-polling"
)

// connectionTypes are those that the server has, the better first.
var connectionTypes = []string{typeWebSocket, typeLongPolling}

var connectionTypesText = []byte(`["` + strings.Join(connectionTypes, `","`) + `"]`)

// handshake opens a session, or denies it.
func (x *exchange) handshake(m *incoming) *reply {
	r := replyTo(m)
	switch {
	case !x.isAlone:
		return r.fail("400::handshake_not_alone").advise(adviceNone, 0)
	case !isOurVersion(m):
		r.raw("version", []byte(`"1.0"`))
		return r.fail("400::unsupported_version").advise(adviceNone, 0)
	case !slices.ContainsFunc(m.texts("supportedConnectionTypes"), func(kind string) bool { return slices.Contains(connectionTypes, kind) }):
		r.raw("supportedConnectionTypes", connectionTypesText)
		return r.fail("400::unsupported_connection_types").advise(adviceNone, 0)
	}
	s, err := x.open(m)
	if err != nil {
		return deny(r, err)
	}
	x.opened = s
	if x.socket != nil {
		x.socket.use(s)
	}
	r.succeed()
	r.raw("version", []byte(`"1.0"`))
	r.raw("clientId", quote(s.id))
	r.raw("supportedConnectionTypes", connectionTypesText)
	if s.acks {
		r.raw("ext", []byte(`{"ack":true}`))
	}
	r.raw("advice", x.server.options.advice(0))
	return r
}

// isOurVersion reports whether a client speaks Bayeux 1. Some do not say what they speak.
func isOurVersion(m *incoming) bool {
	if _, ok := m.fields["version"]; !ok {
		return true
	}
	version := m.text("version")
	return version == "1" || strings.HasPrefix(version, "1.")
}

// open asks the application for a peer and makes its session.
func (x *exchange) open(m *incoming) (*Session, error) {
	ext := m.object("ext")
	sent := browserOf(x.request)
	peer, err := x.server.options.Open(&Handshake{Request: x.request, Token: ext.object("authentication").text("token"),
		Ext: m.fields["ext"], Browser: sent})
	if err != nil {
		return nil, err
	}
	if peer == nil {
		return nil, errDenied
	}
	if peer.Context == nil {
		peer.Context = context.Background()
	}
	if peer.Context.Err() != nil {
		return nil, errDenied // else the client would handshake again and again
	}
	s := &Session{server: x.server, id: rand.Text(), peer: peer, browser: x.browser, acks: ext.isTrue("ack"), subscriptions: subscriptions{}}
	if !s.start() {
		return nil, &DeniedError{Code: http.StatusTooManyRequests, Text: "too_many_sessions", RetryAfter: retryAfter}
	}
	return s, nil
}

var errDenied = &DeniedError{Code: http.StatusForbidden, Text: "handshake_denied"}

// deny tells the client why it has no session, and whether it may try again.
func deny(r *reply, err error) *reply {
	var denied *DeniedError
	if !errors.As(err, &denied) {
		denied = errDenied
	}
	r.fail(strconv.Itoa(denied.Code) + "::" + denied.Text)
	if denied.RetryAfter > 0 {
		return r.advise(adviceHandshake, denied.RetryAfter)
	}
	return r.advise(adviceNone, 0)
}

// browserOf returns the cookie of a request, if it is one that the server could have made.
func browserOf(r *http.Request) string {
	c, err := r.Cookie(browserCookie)
	if err != nil || len(c.Value) > maxBrowser {
		return ""
	}
	return c.Value
}
