package bus

import (
	"fmt"
	"net/url"
	"strings"
)

// The names on the bus. They never change.
const (
	// StreamName is the JetStream stream of all live notices.
	StreamName = "SEGUE_LIVE"

	livePrefix = "segue.live."
	duePrefix  = "segue.due."

	// ackPrefix is the inbox of workers. It is not the inbox of gateways, which gets notices: a
	// worker may subscribe to acks alone.
	ackPrefix = "segue.acks"

	// msgID is the header by which JetStream finds repeats.
	msgID = "Nats-Msg-Id"
)

// subject returns the subject of an interaction below a prefix.
func subject(prefix, contactCenter, interaction string) (string, error) {
	if contactCenter == "" || interaction == "" {
		return "", fmt.Errorf("a notice needs a contact center and an interaction, got %q and %q", contactCenter, interaction)
	}
	return prefix + token(contactCenter) + "." + token(interaction), nil
}

// token escapes an id, which has no percent sign itself, so that NATS takes it as one token.
func token(id string) string {
	if strings.IndexFunc(id, isEscaped) < 0 {
		return id
	}
	var b strings.Builder
	for i := range len(id) {
		if isEscaped(rune(id[i])) {
			fmt.Fprintf(&b, "%%%02X", id[i])
		} else {
			b.WriteByte(id[i])
		}
	}
	return b.String()
}

func isEscaped(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(".*>%", r)
}

// idsOf returns the contact center and the interaction that a subject names.
func idsOf(prefix, subject string) (contactCenter, interaction string, err error) {
	first, second, found := strings.Cut(strings.TrimPrefix(subject, prefix), ".")
	if !found || !strings.HasPrefix(subject, prefix) {
		return "", "", fmt.Errorf("subject %q is not %sCC.INTERACTION", subject, prefix)
	}
	if contactCenter, err = url.PathUnescape(first); err != nil {
		return "", "", fmt.Errorf("subject %q: %w", subject, err)
	}
	if interaction, err = url.PathUnescape(second); err != nil {
		return "", "", fmt.Errorf("subject %q: %w", subject, err)
	}
	return contactCenter, interaction, nil
}
