package engagement

import (
	"encoding/json"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"segue/client"
	"segue/contract"
	"segue/gateway/engagement/ticket"
	"segue/interaction"
)

// Invitation is one attempt to engage a visitor.
type Invitation struct {
	Name    client.Name
	Visit   string
	Attempt int
	// Started is when the interaction started: an id that is started again has the same attempts.
	Started time.Time
	// Expires is when the timer answers for the visitor; zero for never.
	Expires time.Time
	// Messages are those of the profile, for the page.
	Messages []json.RawMessage
}

// InvitationOf returns the invitation that is open in a state; nil for none, or if no visit is known.
func InvitationOf(s *contract.State) *Invitation {
	if s == nil || s.State != interaction.StateEngaging || s.Engagement == nil {
		return nil
	}
	visit := visitOf(s)
	if visit == "" {
		return nil
	}
	i := &Invitation{
		Name: client.Name{ContactCenter: s.ContactCenter, ID: s.ID}, Visit: visit, Attempt: s.Engagement.Attempts, Started: s.StartedAt,
		Messages: messagesOf(s.Engagement.Profile),
	}
	if s.EngagedUntil != nil {
		i.Expires = *s.EngagedUntil
	}
	return i
}

// messagePrefix begins the channel of each message for a browser.
const messagePrefix = "gpe."

// messagesOf returns the array of gpe.* messages in a profile.
func messagesOf(profile map[string]any) []json.RawMessage {
	keys := make([]string, 0, len(profile))
	for key := range profile {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		list, _ := profile[key].([]any)
		if !slices.ContainsFunc(list, isMessage) {
			continue
		}
		var messages []json.RawMessage
		for _, one := range list {
			if encoded, err := json.Marshal(one); err == nil { // it was JSON
				messages = append(messages, encoded)
			}
		}
		return messages
	}
	return nil
}

func isMessage(value any) bool {
	object, _ := value.(map[string]any)
	channel, _ := object["channel"].(string)
	return strings.HasPrefix(channel, messagePrefix)
}

// Is reports whether two invitations are the same.
func (i *Invitation) Is(other *Invitation) bool {
	return other != nil && i.Name == other.Name && i.Visit == other.Visit && i.Attempt == other.Attempt && i.Started.Equal(other.Started)
}

// Message is what a page gets: the messages of the profile, and Segue's own.
func (i *Invitation) Message(tickets *ticket.Tickets, base string) (json.RawMessage, error) {
	links, err := i.links(tickets, base)
	if err != nil {
		return nil, err
	}
	data := map[string]any{"ixnId": i.Name.ID, "attempt": i.Attempt, "disposition": links}
	if !i.Expires.IsZero() {
		data["expires_at"] = i.Expires.UTC()
	}
	own, err := json.Marshal(map[string]any{"channel": ownChannel, "data": data})
	if err != nil {
		return nil, err
	}
	return json.Marshal(append(slices.Clone(i.Messages), own))
}

// ownChannel is the channel of Segue's own message in the array.
const ownChannel = messagePrefix + "segue"

// Canceled is what a page gets when an attempt to engage its visitor is withdrawn or over.
func Canceled(ixnID string, attempt int) (json.RawMessage, error) {
	return json.Marshal([]any{map[string]any{
		"channel": ownChannel, "data": map[string]any{"ixnId": ixnID, "attempt": attempt, "canceled": true},
	}})
}

const (
	// linkGrace is how long after the end of an invitation its links are still read: a page that sends an
	// answer again gets that of the first time.
	linkGrace = 10 * time.Minute
	// endless is how long links count if no timer ends the invitation.
	endless = 24 * time.Hour
)

// links returns the URLs with which a page answers.
func (i *Invitation) links(tickets *ticket.Tickets, base string) (map[string]string, error) {
	expires := i.Expires.Add(linkGrace)
	if i.Expires.IsZero() {
		expires = time.Now().Add(endless).Truncate(time.Hour)
	}
	token, err := tickets.Sign(ticket.Claims{
		Kind: ticket.Invitation, ContactCenter: i.Name.ContactCenter, Visit: i.Visit, Interaction: i.Name.ID, Attempt: i.Attempt,
		Started: i.Started.UnixNano(), Expires: expires.Unix(),
	})
	if err != nil {
		return nil, err
	}
	links := map[string]string{}
	for _, result := range []string{"accepted", "rejected", "timeout", "failed"} {
		query := url.Values{"ixnId": {i.Name.ID}, "attempt": {strconv.Itoa(i.Attempt)}, "result": {result}, "token": {token}}
		links[result] = base + DispositionPath + "?" + query.Encode()
	}
	return links, nil
}
