package notify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/contract"
	"segue/gateway/gws/view"
	"segue/gateway/parts"
)

// deed is a command, or a misfortune, and what happens to its notice.
type deed struct {
	id, command, payload, notice string
	pause                        time.Duration
}

func deeds() *rapid.Generator[deed] {
	agents := rapid.SampledFrom([]string{"ada", "ben"})
	return rapid.Custom(func(t *rapid.T) deed {
		a, o := agents.Draw(t, "agent"), agents.Draw(t, "other")
		by := `"by":{"id":"` + a + `","role":"agent"}`
		commands := [][2]string{
			{"place_in_queue", `{"queue":"sales"}`}, {"offer", `{"agent":"` + a + `"}`}, {"offer", `{"agents":["ada","ben"]}`},
			{"accept", `{"agent":"` + a + `"}`}, {"accept", `{"agent":"` + a + `"}`}, {"reject", `{"agent":"` + a + `"}`},
			{"hold", `{` + by + `}`}, {"retrieve", `{` + by + `}`}, {"consult", `{"to":{"agent":"` + o + `"},` + by + `}`},
			{"conference", `{}`}, {"transfer", `{"mode":"single_step","to":{"agent":"` + o + `"}}`}, {"transfer", `{"mode":"consult"}`},
			{"leave", `{"agent":"` + a + `"}`}, {"disconnect", `{}`}, {"complete", `{}`}, {"place_in_workbin", `{"workbin":"drafts"}`},
			{"attach_user_data", `{"user_data":{"a":` + fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "value")) + `}}`},
			{"set_disposition", `{"code":"` + a + `"}`}, {"set_attributes", `{"comment":"` + o + `"}`}, {"renew", ""}, {"reset", ""}, {"restart", ""},
			{"terminate", ""},
		}
		chosen := rapid.SampledFrom(commands).Draw(t, "command")
		return deed{
			id: rapid.SampledFrom([]string{"i1", "i2", "i3"}).Draw(t, "id"), command: chosen[0], payload: chosen[1],
			notice: rapid.SampledFrom([]string{"sent", "sent", "sent", "sent", "bare", "late", "lost"}).Draw(t, "notice"),
			pause:  time.Duration(rapid.SampledFrom([]int{0, 0, 1, 100, 400, 3000}).Draw(t, "pause")) * time.Millisecond,
		}
	})
}

var channels = map[string]string{"i1": "inbound", "i2": "chat", "i3": "email"}

// act does a deed; it returns its notice if it has one.
func (b *bench) act(d deed) *contract.Notice {
	_, running := b.world.Exists(d.id)
	switch {
	case d.command == "restart":
		b.stream.Remake()
		return nil
	case !running:
		return b.world.Start(d.id, `{"channel":"`+channels[d.id]+`"}`)
	case d.command == "renew":
		b.world.Renew(d.id)
		return nil
	case d.command == "terminate":
		b.world.Terminate(d.id)
		return nil
	case d.command == "reset":
		if !b.world.Reset(d.id, 2) {
			return nil
		}
		return b.world.Must(d.id, "set_attributes", `{"comment":"reset"}`)
	}
	return b.world.Do(d.id, d.command, d.payload)
}

// seen is what a client knows that applies one message after the other.
type seen struct {
	desktop *desktop
	topic   string
	known   map[string]map[string]any
	last    map[string]string
	failure error
	// isReset is set once an interaction was reset: then the same change may come again.
	isReset bool
}

func (s *seen) read() {
	for _, m := range s.desktop.poll() {
		var data map[string]any
		if err := json.Unmarshal(m.Data, &data); err != nil {
			s.failure = errors.Join(s.failure, err)
		}
		for _, key := range []string{"interaction", "call", "chat", "email"} {
			resource, isThere := data[key].(map[string]any)
			if !isThere || m.Channel != s.topic && s.topic != "" {
				continue
			}
			id := fmt.Sprint(resource["id"])
			kind := strings.Join([]string{m.Channel, id, m.data.NotificationType}, " ")
			if s.last[kind] == string(m.Data) && !s.isReset {
				s.failure = errors.Join(s.failure, fmt.Errorf("%s twice: %s", kind, m.Data))
			}
			s.last[kind] = string(m.Data)
			s.known[m.Channel+" "+id] = resource
		}
	}
}

// differs compares what a client knows of an interaction with what is.
func (b *bench) differs(s *seen, id string) error {
	exists, running := b.world.Exists(id)
	if !exists {
		return nil
	}
	state, capabilities := b.world.State(id)
	medium := view.MediumOf(state.Channel)
	for _, topic := range []string{medium.Topic, view.InteractionTopic} {
		known := s.known[topic+" "+id]
		if parts.Of(&state, s.desktop.agent).Part == parts.None || !running {
			if known != nil && len(known["capabilities"].([]any)) > 0 {
				return fmt.Errorf("%s on %s for %s: over, but has %v", id, topic, s.desktop.agent, known)
			}
			continue
		}
		encoded, err := json.Marshal(view.Of(view.Look{State: &state, CapabilitiesFor: capabilities}, s.desktop.agent, base))
		if err != nil {
			return err
		}
		var present map[string]any
		if err := json.Unmarshal(encoded, &present); err != nil {
			return err
		}
		members := []string{"state", "capabilities", "userData", "disposition", "comment"}
		if medium.Name != "email" { // who else takes part in others is not sent
			members = append(members, "participants")
		}
		for _, member := range members {
			if !reflect.DeepEqual(known[member], present[member]) {
				return fmt.Errorf("%s on %s for %s: %s is %v, known is %v", id, topic, s.desktop.agent, member, present[member], known[member])
			}
		}
	}
	return nil
}

// play plays deeds. After each that is not in trouble, and at the end, clients know what is.
func play(b *bench, plan []deed, fail require.TestingT) error {
	clients := []*seen{}
	for _, agent := range []string{"ada", "ben", "ada"} {
		clients = append(clients, &seen{
			desktop: b.desktop(fail, agent, "", all...), known: map[string]map[string]any{}, last: map[string]string{},
		})
	}
	compare := func() (err error) {
		for _, s := range clients {
			s.read()
			for id := range channels {
				err = errors.Join(err, b.differs(s, id))
			}
		}
		return err
	}
	calm := true
	for i, d := range plan {
		n := b.act(d)
		switch {
		case n == nil:
			calm = calm && d.command != "restart" && d.command != "terminate"
		case d.notice == "sent":
			b.stream.Publish(n)
		case d.notice == "bare":
			n.State, calm = nil, false
			b.stream.Publish(n)
		case d.notice == "late":
			calm = false
			time.AfterFunc(150*time.Millisecond, func() { b.stream.Publish(n) })
		default:
			calm = false
		}
		for _, s := range clients {
			s.isReset = s.isReset || d.command == "reset"
		}
		calm = calm && d.command != "reset"
		time.Sleep(d.pause + time.Millisecond)
		synctest.Wait()
		if err := compare(); calm && err != nil {
			return fmt.Errorf("after deed %d: %w", i, err)
		}
	}
	for id := range channels { // a later notice shows that others are lost
		if n := b.act(deed{id: id, command: "set_attributes", payload: `{"comment":"last"}`}); n != nil {
			b.stream.Publish(n)
		}
	}
	for range 10 {
		time.Sleep(50 * time.Second)
		synctest.Wait()
		for _, s := range clients {
			s.read()
		}
	}
	err := compare()
	for _, s := range clients {
		err = errors.Join(err, s.failure)
	}
	if _, _, asking := b.notifier.Counts(); asking > 0 {
		err = errors.Join(err, fmt.Errorf("%d interactions are still queried", asking))
	}
	return err
}

func TestSessionsKnowWhatIs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plan := rapid.SliceOfN(deeds(), 1, 40).Draw(rt, "plan")
		var err error
		synctest.Test(t, func(t *testing.T) {
			b, stop := open(nil)
			defer stop()
			err = play(b, plan, t)
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}
