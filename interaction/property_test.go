package interaction_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/interaction"
)

// everyPayload has payloads of every command and timer for the agents a1 to a3, so that some
// fit any situation of the agents.
var everyPayload = func() []string {
	lines := []string{
		`place_in_queue {"queue":"sales"}`, `place_in_queue {"queue":"backup"}`, `offer {"agents":["a1","a2"]}`, `offer {"agents":["a1","a2","a3"],"preview":true,"timeout":"5s"}`,
		`dial`, `connect`, `disconnect`, `abandon`, `consult {"to":{"number":"+1"}}`, `conference`, `conference {"party":"+2"}`,
		`hold`, `retrieve`, `transfer {"to":{"queue":"sales"},"wrap_up":true}`, `transfer {"to":{"queue":"backup"}}`, `transfer {"to":{"number":"+3"}}`,
		`transfer {"mode":"consult"}`, `transfer {"mode":"consult","wrap_up":true}`, `place_in_workbin {"workbin":"w"}`, `place_in_workbin {"workbin":{"id":1}}`,
		`set_disposition {"code":"SOLD"}`, `set_disposition {"code":"LOST"}`, `attach_user_data {"user_data":{"a":{"b":1}}}`, `update_user_data {"user_data":{"a":{"c":2},"d":[1,2]}}`,
		`delete_user_data {"keys":["d"]}`, `delete_user_data {"user_data":{"a":{"b":0}}}`, `set_attributes {"ani":"+9","customer":{"id":12345678901234567890}}`,
		`survey {"answers":{"q":1}}`, `queue_event {"event":"e"}`, `dtmf {"digits":"1"}`, `script_signal {"p1":"x"}`, `signal_added {"name":"s","p1":"x"}`, `signal_removed {"name":"s"}`,
		`engage {"ixnProfile":{"channel":"chat"}}`, `noengage {"cancelData":{}}`, `engagement_result {"result":"accepted","queue":"sales"}`, `engagement_result {"result":"accepted"}`,
		`engagement_result {"result":"timeout"}`, `reply`, `complete`, `complete {"disposition":{"code":"SOLD"}}`, `complete {"disposition":"LOST"}`, `cancel`,
		`[offer_timeout]`, `[offer_timeout] {"MaxMisses":2,"Overflow":"backup"}`, `[queue_timeout]`, `[queue_timeout] {"Overflow":"backup"}`,
		`[engagement_timeout]`, `[lifetime_timeout]`, `[late_events_timeout]`, `[workflow_cancel]`,
	}
	for _, agent := range []string{"a1", "a2", "a3"} {
		for _, line := range []string{
			`offer {"agent":%q}`, `accept {"agent":%q}`, `reject {"agent":%q}`, `reject {"agent":%q,"final":true}`, `dial {"agent":%q}`,
			`consult {"to":{"agent":%q}}`, `conference {"agent":%q}`, `leave {"agent":%q}`, `hold {"agent":%q}`, `retrieve {"agent":%q}`,
			`transfer {"to":{"agent":%q}}`, `transfer {"to":{"agent":%q},"wrap_up":true}`, `transfer {"to":{"agent":%q},"mode":"offer"}`,
			`set_disposition {"code":"X","agent":%q}`, `engagement_result {"result":"accepted","agent":%q}`, `[wrap_up_timeout] {"Agent":%q}`,
		} {
			lines = append(lines, fmt.Sprintf(line, agent))
		}
	}
	for _, segment := range []string{
		"agent_selecting", "consulting", "in_conference", "wrap_up", "dialing", "rejected", "overflow", "missed", "preview", "abandoned", "handled",
		"interaction_starts.channel", "interaction_starts.agent", "interaction_starts.business_process", "offered.channel", "offered.business_process", "offered.agent",
		"handling.channel", "handling.business_process", "handling.agent", "interaction_ends", "interaction_ends.channel", "interaction_ends.business_process", "interaction_ends.agent",
	} {
		lines = append(lines, fmt.Sprintf(`segment_change {"segment":%q,"agent":"a1","queue":"sales"}`, segment),
			fmt.Sprintf(`segment_change {"segment":%q,"agent":"a2","party":"+4"}`, segment), fmt.Sprintf(`segment_change {"segment":%q,"queue":"backup"}`, segment))
	}
	return lines
}()

// gentle leaves out commands that end an interaction early, so that long ones are tested, too.
var gentle = slices.DeleteFunc(slices.Clone(everyPayload), func(line string) bool {
	for _, ending := range []string{"abandon", "complete", "cancel", "[lifetime", "[workflow", "noengage", `"timeout"}`, `"final"`, `"handled"`, `"interaction_ends"`, `"overflow"`, "[engagement"} {
		if strings.Contains(line, ending) && !strings.HasPrefix(line, "accept") {
			return true
		}
	}
	return false
})

var everyStart = []string{
	inbound, sales, outbound, chat, email, web, draft, start("sms", `"business_process":"retail"`), start("cloud_routing"), start("track_number"),
	start("outbound", `"agent":{"id":"a1","name":"Ann"},"queue":"sales"`),
}

func asJSON(t require.TestingT, value any) string {
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return string(encoded)
}

// ledger checks what must be true of all events of one interaction.
type ledger struct {
	sequence  int64
	at        time.Time
	ends      int
	starts    map[string]int
	connected map[string]int
	termed    map[string]int
	begun     map[string]int
	over      map[string]int
}

func newLedger() *ledger {
	return &ledger{starts: map[string]int{}, connected: map[string]int{}, termed: map[string]int{}, begun: map[string]int{}, over: map[string]int{}}
}

func (l *ledger) enter(t require.TestingT, events []interaction.Event) {
	for _, e := range events {
		l.sequence++
		require.Equal(t, l.sequence, e.Sequence, "gapless")
		require.False(t, e.At.Before(l.at), "no event is before an earlier one")
		l.at = e.At
		if e.Agent != nil && e.PreviousAgent != nil {
			require.NotEqual(t, e.Agent.ID, e.PreviousAgent.ID, "no agent is the previous agent of itself")
		}
		key := string(e.Leg)
		if e.Agent != nil && (e.Leg == interaction.LegAgent || e.Leg == "") {
			key += e.Agent.ID
		}
		switch {
		case e.Moment == interaction.MomentInteractionEnds:
			l.ends++
			require.Equal(t, e.Sequence, events[len(events)-1].Sequence, "interaction_ends comes last")
		case strings.HasSuffix(string(e.Moment), ".agent_connect"):
			l.connected[key]++
		case strings.HasSuffix(string(e.Moment), ".agent_term"):
			l.termed[key]++
		case e.Segment == interaction.SegmentInteractionStarts:
			l.begun[key]++
		case e.Segment == interaction.SegmentInteractionEnds:
			l.over[key]++
		}
	}
}

func TestRandomCommandsKeepTheInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := opened(rt, rapid.SampledFrom(everyStart).Draw(rt, "start"))
		pool := everyPayload
		if rapid.IntRange(0, 3).Draw(rt, "gentle") > 0 {
			pool = gentle
		}
		ledger := newLedger()
		opening := s.i.Sequence()
		ledger.sequence = opening
		for _, moment := range s.opened {
			if segment, who, _ := strings.Cut(moment, "."); segment == "interaction_starts" && who != "" {
				leg, agent, _ := strings.Cut(who, " ")
				if leg != "agent" {
					agent = ""
				}
				ledger.begun[leg+agent]++
			}
		}
		var earlier []interaction.Turn
		var hashes []string
		clock := time.Duration(0)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			line := rapid.SampledFrom(pool).Draw(rt, "line")
			cmd := command(rt, line)
			if back := rapid.IntRange(-50, 50).Draw(rt, "at"); back != 0 {
				at := begin.Add(clock).Add(time.Duration(back) * time.Second)
				cmd.At = &at
			}
			clock += time.Duration(rapid.IntRange(0, 30).Draw(rt, "wait")) * time.Second
			effect := applied(rt, s.i, cmd, begin.Add(clock))
			if effect == nil {
				continue
			}
			ledger.enter(rt, effect.Turn.Events)
			earlier, hashes = append(earlier, effect.Turn), append(hashes, asJSON(rt, effect.Turn))
			soundNow(rt, s.i, begin.Add(clock))
			if rapid.IntRange(0, 9).Draw(rt, "carry over") == 0 {
				s.i = carriedOver(rt, s.i)
			}
		}
		for n, turn := range earlier {
			require.Equal(rt, hashes[n], asJSON(rt, turn), "a turn never changes after it was returned")
		}
		capable(rt, s.i)
		if !s.i.Completed() {
			ledger.enter(rt, s.do(`[lifetime_timeout]`).Turn.Events)
		}
		require.Equal(rt, 1, ledger.ends)
		require.Equal(rt, ledger.begun, ledger.over, "every leg that starts ends")
		require.Equal(rt, ledger.connected, ledger.termed, "agent_term once per connected agent")
	})
}

// applied applies a command and checks Check, atomicity, the table and that completed is final.
func applied(t require.TestingT, i *interaction.Interaction, cmd interaction.Command, now time.Time) *interaction.Effect {
	before, state, lingering := asJSON(t, i), i.Facts().State, i.Lingers()
	checked := i.Check(cmd)
	require.Equal(t, before, asJSON(t, i), "Check changes nothing")
	effect, err := i.Apply(cmd, now)
	require.Equal(t, checked, err, "Check agrees with Apply")
	if err != nil {
		require.Equal(t, before, asJSON(t, i), "an error changes nothing")
		return nil
	}
	after := i.Facts().State
	if state == interaction.StateCompleted {
		require.True(t, lingering, "only lingering interactions take commands")
		require.Equal(t, interaction.StateCompleted, after, "completed is final")
	}
	if after == interaction.StateComposing {
		after = interaction.StateHandling // where the table says handling, a draft is composed
	}
	require.True(t, state == i.Facts().State || interaction.Leads(cmd.Name, state, after) || interaction.Leads(cmd.Name, state, i.Facts().State),
		"%s led from %s to %s", cmd.Name, state, i.Facts().State)
	for _, event := range effect.Turn.Events {
		if event.Moment != interaction.MomentSegmentChange {
			_, moment, dotted := strings.Cut(string(event.Moment), ".")
			if !dotted {
				moment = string(event.Moment)
			}
			require.Contains(t, interaction.Moments(cmd.Name), moment, cmd.Name)
			require.Contains(t, interaction.AllMoments(), event.Moment)
		}
		require.False(t, event.At.After(now))
		require.False(t, event.At.Before(i.Facts().StartedAt))
	}
	return &effect
}

// soundNow checks the invariants of one state.
func soundNow(t require.TestingT, i *interaction.Interaction, now time.Time) {
	status := i.Status()
	owners := 0
	for _, p := range status.Participants {
		if p.Role == interaction.ParticipantOwner {
			owners++
		}
	}
	require.LessOrEqual(t, owners, 1, "at most one owner")
	require.Equal(t, i.Completed(), status.Outcome != "")
	require.Equal(t, i.Completed(), status.EndedAt != nil)
	require.Equal(t, status.State == interaction.StateOffered, len(status.OfferedTo) > 0, "offered means offered to an agent")

	if status.State == interaction.StateWrapUp {
		require.True(t, slices.ContainsFunc(status.Participants, func(p interaction.Participant) bool { return p.Role == interaction.ParticipantWrapUp }),
			"an agent wraps up, or it would never end")
	}

	durations := i.View(now).Durations
	for _, seconds := range []float64{durations.Queue, durations.Offer, durations.Handle, durations.Hold, durations.WrapUp} {
		require.GreaterOrEqual(t, seconds, 0.0)
		require.LessOrEqual(t, seconds, durations.Total)
	}
	last := map[string]interaction.Span{}
	queue := time.Duration(0)
	for _, span := range i.Timeline() {
		if span.End != nil {
			require.False(t, span.End.Before(span.Start))
		}
		if span.Segment == interaction.SegmentAgentSelecting {
			end := now
			if span.End != nil {
				end = *span.End
			}
			queue += end.Sub(span.Start)
		}
		// The assignments of one agent may overlap (a wrap-up and a new offer); other legs have one at a time.
		if span.Leg != interaction.LegAgent {
			if previous, ok := last[string(span.Leg)]; ok {
				require.NotNil(t, previous.End, "a leg is in one segment")
				require.False(t, previous.End.After(span.Start), "segments do not overlap")
			}
			last[string(span.Leg)] = span
		}
	}
	require.InDelta(t, queue.Seconds(), durations.Queue, 0.001, "the total agrees with the timeline")
}

// carriedOver returns the interaction as the next run gets it.
func carriedOver(t require.TestingT, i *interaction.Interaction) *interaction.Interaction {
	before := asJSON(t, i)
	var next interaction.Interaction
	require.NoError(t, json.Unmarshal([]byte(before), &next))
	require.Equal(t, before, asJSON(t, &next))
	require.Equal(t, asJSON(t, i.Status()), asJSON(t, next.Status()))
	require.Equal(t, asJSON(t, i.Timeline()), asJSON(t, next.Timeline()))
	return &next
}

// capable compares Capabilities with what Check accepts.
func capable(t require.TestingT, i *interaction.Interaction) {
	for _, actor := range []interaction.Actor{{Role: interaction.RolePlatform}, {ID: "a1", Role: interaction.RoleAgent}, {ID: "a2", Role: interaction.RoleAgent}} {
		taken := map[string]bool{}
		for _, line := range everyPayload {
			cmd := command(t, line)
			cmd.By = &actor
			if i.Check(cmd) == nil {
				taken[cmd.Name] = true
			}
		}
		want := slices.DeleteFunc(interaction.Commands(), func(name string) bool { return !taken[name] })
		require.Equal(t, append([]string{}, want...), i.CapabilitiesFor(actor), "%s", asJSON(t, i))
	}
}

func TestACarriedOverInteractionContinuesUnchanged(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first := opened(rt, rapid.SampledFrom(everyStart).Draw(rt, "start"))
		lines := rapid.SliceOfN(rapid.SampledFrom(gentle), 2, 30).Draw(rt, "lines")
		half := len(lines) / 2
		for _, line := range lines[:half] {
			_, _ = first.try(line)
		}
		second := &player{t: rt, i: carriedOver(rt, first.i), now: first.now}
		for _, line := range lines[half:] {
			one, oneErr := first.try(line)
			other, otherErr := second.try(line)
			require.Equal(rt, oneErr, otherErr)
			require.Equal(rt, asJSON(rt, one.Turn), asJSON(rt, other.Turn))
			require.Equal(rt, asJSON(rt, one.Children), asJSON(rt, other.Children))
		}
		require.Equal(rt, asJSON(rt, first.i), asJSON(rt, second.i))
	})
}
