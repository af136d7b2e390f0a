package notify

import (
	"slices"
	"strings"

	"segue/gateway/cometd"
)

// The topics of an agent.
const (
	topicMe           = "/v2/me"
	topicInteractions = "/v2/me/interactions"
	topicWorkbins     = "/v2/me/workbins"
)

// interactionTopics are those on which interactions are sent.
var interactionTopics = []string{topicInteractions, "/v2/me/calls", "/v2/me/chats", "/v2/me/emails", "/v2/me/openmedia"}

// topics are all that a session may have; on the last three nothing is sent.
var topics = append([]string{topicMe, topicWorkbins, "/v2/me/channels", "/v2/me/devices", "/v2/me/workitems", "/v2/me/outbound", "/notifications/services"},
	interactionTopics...)

// wildcards mean the topics alone, whatever else they would match.
var wildcards = []string{"/**", "/v2/**", "/v2/me/*", "/v2/me/**"}

// Grants reports whether a session may have a subscription: one of the topics of its agent, with or without
// a trailing slash, or a wildcard for all of them.
func (n *Notifier) Grants(s *cometd.Session, subscription string) bool {
	if _, isAgent := userOf(s); !isAgent {
		return false
	}
	return slices.Contains(wildcards, subscription) || slices.Contains(topics, strings.TrimSuffix(subscription, "/"))
}

// covers reports whether one of the subscriptions brings what is sent on a topic.
func covers(subscriptions []string, topic string) bool {
	return slices.ContainsFunc(subscriptions, func(s string) bool {
		return strings.TrimSuffix(s, "/") == topic || slices.Contains(wildcards, s)
	})
}

// userOf returns whom a session belongs to, and whether that is an agent.
func userOf(s *cometd.Session) (User, bool) {
	if s.Peer() == nil {
		return User{}, false
	}
	user, ok := s.Peer().Value.(User)
	return user, ok && user.Agent != "" && user.ContactCenter != ""
}
