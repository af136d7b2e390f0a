package cometd

import "strings"

// form is how a client wrote a subscription: without a slash at its end, with one, or both.
type form uint8

const (
	plain form = 1 << iota
	slashed
)

// parseSubscription returns a subscription without the slash at its end, and reports whether a client
// may have such a one at all: "/a/b", or with a wildcard as its last segment.
func parseSubscription(text string) (subscription string, f form, ok bool) {
	subscription, hasSlash := strings.CutSuffix(text, "/")
	f = plain
	if hasSlash {
		f = slashed
	}
	if len(text) > maxChannel || !strings.HasPrefix(subscription, "/") {
		return "", 0, false
	}
	segments := strings.Split(subscription[1:], "/")
	if segments[0] == "meta" {
		return "", 0, false
	}
	for i, segment := range segments {
		isWild := (segment == "*" || segment == "**") && i == len(segments)-1
		if segment == "" || !isWild && strings.ContainsFunc(segment, isForbidden) {
			return "", 0, false
		}
	}
	return subscription, f, true
}

func isForbidden(r rune) bool { return r == '*' || r < ' ' || r == 0x7f }

// subscriptions are those of a session, without the slash at their end.
type subscriptions map[string]form

// match returns the channel as the session subscribed to it. A wildcard gives it as it is.
func (s subscriptions) match(channel string) (name string, ok bool) {
	switch f := s[channel]; {
	case f&plain != 0:
		return channel, true
	case f != 0:
		return channel + "/", true
	}
	at := strings.LastIndexByte(channel, '/')
	if at < 0 {
		return "", false
	}
	if s[channel[:at]+"/*"] != 0 {
		return channel, true
	}
	for ; at >= 0; at = strings.LastIndexByte(channel[:at], '/') {
		if s[channel[:at]+"/**"] != 0 {
			return channel, true
		}
	}
	return "", false
}
