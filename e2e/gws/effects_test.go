package gws_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"segue/interaction"
)

// kinds are the notificationTypes, in the order in which they come.
var kinds = []string{"StatusChange", "ParticipantsUpdated", "AttachedDataChanged", "PropertiesUpdated"}

// due is what an agent must be notified of one change: the kinds that must come, and those that may. Before the
// first message and with the last one, the documents leave open what besides the state has changed.
type due struct {
	revision  int64
	sequence  int64
	after     look
	must, may []string
	names     []string
	isOver    bool
	reference any
}

// dueOf returns what an agent must be notified of a command.
func dueOf(before, after look, c command, by *interaction.Actor) due {
	t := due{after: after, names: known(after.stateName())}
	switch was, is := before.part(), after.part(); {
	case was == partNone && is == partNone:
		return t
	case was == partNone:
		t.must, t.may = kinds[:1], kinds[1:]
		return t
	case is == partNone:
		t.must, t.may, t.isOver = kinds[:1], kinds[1:], true
		t.names = overNames(before, after, c, by)
		return t
	}
	t.compare(before, after)
	return t
}

// compare sets what changed for an agent who has a part before and after.
func (t *due) compare(before, after look) {
	changed := func(kind string, is bool) {
		if is {
			t.must = append(t.must, kind)
		}
	}
	isCall := after.medium == mediumCall
	changed("StatusChange", before.stateName() != after.stateName() || before.part() != after.part() ||
		!slices.Equal(before.shownCapabilities(), after.shownCapabilities()))
	if isCall || after.medium == mediumChat {
		changed("ParticipantsUpdated", !slices.Equal(before.others(), after.others()))
		if !reflect.DeepEqual(before.Participants, after.Participants) {
			t.may = append(t.may, "ParticipantsUpdated") // another role, or the agent's own hold
		}
	}
	hasData := !reflect.DeepEqual(asJSON(before.UserData), asJSON(after.UserData))
	changed("AttachedDataChanged", hasData && isCall)
	changed("PropertiesUpdated", hasData && !isCall || before.Comment != after.Comment || !reflect.DeepEqual(codeOf(before), codeOf(after)))
	if before.Destination != after.Destination || before.Queue != after.Queue {
		t.may = append(t.may, "PropertiesUpdated")
	}
}

func codeOf(l look) []string {
	if l.Disposition == nil {
		return nil
	}
	return []string{l.Disposition.Code, l.Disposition.Notes, l.Disposition.Agent}
}

// check compares what came on all topics for one revision with what must come.
func (t due) check(came []notification) error {
	var wrong []error
	for _, place := range []struct{ topic, key string }{{"/v2/me/" + t.after.medium.plural, t.after.medium.name}, {"/v2/me/interactions", "interaction"}} {
		var got []notification
		for _, n := range came {
			if n.topic == place.topic {
				got = append(got, n)
			}
		}
		if err := t.checkOn(got, place.key); err != nil {
			wrong = append(wrong, fmt.Errorf("on %s: %w", place.topic, err))
		}
	}
	for _, n := range came {
		if n.topic != "/v2/me/interactions" && n.topic != "/v2/me/"+t.after.medium.plural {
			wrong = append(wrong, fmt.Errorf("a message on %s: %s", n.topic, text(n.fields)))
		}
	}
	return errors.Join(wrong...)
}

func (t due) checkOn(came []notification, key string) error {
	var types []string
	var wrong []error
	for _, n := range came {
		types = append(types, n.kind)
		wrong = append(wrong, t.checkOne(n, key))
	}
	for _, kind := range t.must {
		if !slices.Contains(types, kind) {
			wrong = append(wrong, fmt.Errorf("%s is missing", kind))
		}
	}
	last := -1
	for _, kind := range types {
		at := slices.Index(kinds, kind)
		if at <= last || !slices.Contains(t.must, kind) && !slices.Contains(t.may, kind) {
			wrong = append(wrong, fmt.Errorf("%s is too much, or out of order", kind))
		}
		last = max(at, last)
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("%q, but must be %q, may be %q: %w", types, t.must, t.may, err)
	}
	return nil
}

// checkOne checks one message.
func (t due) checkOne(n notification, key string) error {
	var wrong []error
	fields := []string{"messageType", "notificationType", key, "sequence", "revision"}
	if t.reference != nil {
		fields = append(fields, "referenceId")
	}
	for name := range n.fields {
		if !slices.Contains(fields, name) {
			wrong = append(wrong, fmt.Errorf("the message has %s", name))
		}
	}
	if n.message != messageOf[key] || n.revision != t.revision || n.sequence != t.sequence {
		wrong = append(wrong, fmt.Errorf("%s, revision %d, sequence %d; want %s, %d, %d", n.message, n.revision, n.sequence, messageOf[key], t.revision, t.sequence))
	}
	if !reflect.DeepEqual(asJSON(n.reference), asJSON(t.reference)) {
		wrong = append(wrong, fmt.Errorf("referenceId is %v and should be %v", n.reference, t.reference))
	}
	capabilities := []string{}
	if !t.isOver {
		capabilities = t.after.shownCapabilities()
	}
	return errors.Join(append(wrong, t.after.checkResource(n.resource, t.names, capabilities))...)
}
