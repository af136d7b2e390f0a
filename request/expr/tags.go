package expr

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"segue/interaction"

	"cel.dev/cel-go/common/types"
)

// sql92 is the date format of Engage Voice's data elements.
const sql92 = "2006-01-02 15:04:05.0000"

// element finds the text of one data element; false means that it has no value.
type element func(*Scope) (string, bool)

// elements are the Engage Voice data elements by name (domain.md D, and the
// reports reference of the same vendor). Those that Segue has no fact for are
// found under their name among the agent's attributes, the command's fields or
// the user data.
var elements = func() map[string]element {
	m := map[string]element{
		"uii":              uii,
		"ani":              fact(func(f *interaction.Facts) string { return f.ANI }),
		"dnis":             fact(func(f *interaction.Facts) string { return f.DNIS }),
		"ani_npa":          digits(0, 3),
		"ani_nxx":          digits(3, 6),
		"ani_last4":        digits(6, 10),
		"account_id":       fact(func(f *interaction.Facts) string { return f.ContactCenter }),
		"gate_name":        fact(func(f *interaction.Facts) string { return f.Queue }),
		"queue_name":       fact(func(f *interaction.Facts) string { return f.Queue }),
		"call_direction":   fact(func(f *interaction.Facts) string { return f.Direction }),
		"call_result":      callResult,
		"call_start":       moment(func(f *interaction.Facts) *time.Time { return &f.StartedAt }),
		"call_end":         moment(func(f *interaction.Facts) *time.Time { return f.EndedAt }),
		"enqueue_time":     fromData("enqueue_time"),
		"dequeue_time":     eventTime("dequeue"),
		"duration":         seconds(func(d *interaction.Durations) float64 { return d.Total }),
		"call_duration":    seconds(func(d *interaction.Durations) float64 { return d.Total }),
		"queue_duration":   seconds(func(d *interaction.Durations) float64 { return d.Queue }),
		"agent_duration":   seconds(func(d *interaction.Durations) float64 { return d.Handle }),
		"sess_duration":    seconds(func(d *interaction.Durations) float64 { return d.Handle }),
		"hold_duration":    seconds(func(d *interaction.Durations) float64 { return d.Hold }),
		"agent_wrap_time":  seconds(func(d *interaction.Durations) float64 { return d.WrapUp }),
		"agent_id":         agentText(func(a *interaction.Agent) string { return a.ID }),
		"agent_name":       agentText(func(a *interaction.Agent) string { return a.Name }),
		"agent_first_name": agentName(0),
		"agent_last_name":  agentName(1),
		"agent_disposition": func(s *Scope) (string, bool) {
			d := s.View.Disposition
			return orEmpty(d == nil, func() string { return d.Code })
		},
		"agent_notes": func(s *Scope) (string, bool) {
			d := s.View.Disposition
			return orEmpty(d == nil, func() string { return d.Notes })
		},
	}
	m["outbound_disposition"] = m["agent_disposition"]
	for _, name := range []string{"agent_externid", "agent_extern_id", "agent_location", "agent_phone", "agent_team",
		"agent_username", "agent_email", "agent_group_name", "agent_wait_time"} {
		m[name] = agentData(name)
	}
	for _, name := range []string{"extern_id", "gate_id", "queue_id", "recording_url", "sess_recording_url",
		"sess_agent_perspective_recording_url", "recording_id", "summary", "transcript", "first_name", "last_name",
		"mid_name", "lead_id", "lead_phone", "lead_state", "list_id", "list_desc", "campaign_id", "campaign_name",
		"email", "address1", "address2", "city", "state", "zip", "suffix", "title", "aux_data1", "aux_data2", "aux_data3",
		"aux_data4", "aux_data5", "aux_greeting", "aux_phone", "notes", "dtmf", "queue_event", "termination_party",
		"term_reason", "transfer_number", "chat_id", "survey_result"} {
		m[name] = fromData(name)
	}
	return m
}()

// Elements lists the names of the data elements, sorted.
func Elements() []string { return slices.Sorted(maps.Keys(elements)) }

// Element finds a data element by name; nil when there is none.
func Element(name string) func(*Scope) (string, bool) {
	if e, ok := elements[name]; ok {
		return e
	}
	return nil
}

func orEmpty(absent bool, get func() string) (string, bool) {
	if absent {
		return "", false
	}
	s := get()
	return s, s != ""
}

func fact(get func(*interaction.Facts) string) element {
	return func(s *Scope) (string, bool) {
		v := get(&s.View.Interaction)
		return v, v != ""
	}
}

// uii is the platform's own id of the call, else Segue's.
func uii(s *Scope) (string, bool) {
	if f := &s.View.Interaction; f.NativeID != "" {
		return f.NativeID, true
	}
	return s.View.Interaction.ID, true
}

// digits is a part of a North American number's last ten digits.
func digits(from, to int) element {
	return func(s *Scope) (string, bool) {
		var number []byte
		for _, c := range []byte(s.View.Interaction.ANI) {
			if '0' <= c && c <= '9' {
				number = append(number, c)
			}
		}
		if len(number) < 10 {
			return "", false
		}
		return string(number[len(number)-10:][from:to]), true
	}
}

// callResult is one of Engage Voice's results once the call is over.
func callResult(s *Scope) (string, bool) {
	switch s.View.Interaction.Outcome {
	case "":
		return "", false
	case interaction.OutcomeHandled:
		return "Connected", true
	case interaction.OutcomeOverflowed, interaction.OutcomeRejected:
		return "Deflected", true
	}
	return "Abandoned", true
}

func moment(get func(*interaction.Facts) *time.Time) element {
	return func(s *Scope) (string, bool) {
		t := get(&s.View.Interaction)
		if t == nil || t.IsZero() {
			return "", false
		}
		return t.UTC().Format(sql92), true
	}
}

// eventTime is when the event happened, for the moments whose name ends so.
func eventTime(suffix string) element {
	return func(s *Scope) (string, bool) {
		w := string(s.Event.When)
		if len(w) < len(suffix) || w[len(w)-len(suffix):] != suffix || s.Event.At.IsZero() {
			return fromData(suffix + "_time")(s)
		}
		return s.Event.At.UTC().Format(sql92), true
	}
}

// seconds is a span in whole seconds.
func seconds(get func(*interaction.Durations) float64) element {
	return func(s *Scope) (string, bool) {
		return strconv.FormatInt(int64(math.Round(get(&s.View.Durations))), 10), true
	}
}

func agentText(get func(*interaction.Agent) string) element {
	return func(s *Scope) (string, bool) {
		a := s.agent()
		return orEmpty(a == nil, func() string { return get(a) })
	}
}

// agentName is the first word of the agent's name, or the rest, unless the
// platform gave first_name and last_name.
func agentName(part int) element {
	key := []string{"first_name", "last_name"}[part]
	return func(s *Scope) (string, bool) {
		a := s.agent()
		if v, ok := dataText(agentAttribute(a, key)); ok || a == nil {
			return v, ok
		}
		first, rest := cutName(a.Name)
		v := []string{first, rest}[part]
		return v, v != ""
	}
}

func cutName(name string) (first, rest string) {
	for i, r := range name {
		if r == ' ' {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}

// agentData is an attribute of the agent, with or without the prefix agent_.
func agentData(name string) element {
	return func(s *Scope) (string, bool) {
		a := s.agent()
		if v, ok := dataText(agentAttribute(a, name)); ok {
			return v, true
		}
		if v, ok := dataText(agentAttribute(a, name[len("agent_"):])); ok {
			return v, true
		}
		return fromData(name)(s)
	}
}

// fromData is what the platform sent under that name.
func fromData(name string) element {
	return func(s *Scope) (string, bool) {
		for _, m := range []map[string]any{s.Event.Fields, s.View.UserData, s.View.Interaction.Customer} {
			v, found := m[name]
			if t, ok := dataText(v, found); ok {
				return t, true
			}
		}
		return "", false
	}
}

// dataText is a value of the platform's as text.
func dataText(v any, found bool) (string, bool) {
	if !found || v == nil {
		return "", false
	}
	if s, ok := v.(string); ok {
		return s, true
	}
	s, err := Text(plain.NativeToValue(v))
	return s, err == nil
}

// plain adapts values of JSON.
var plain = func() provider {
	r, err := types.NewRegistry()
	if err != nil {
		panic("expr: " + err.Error()) // an empty registry always builds
	}
	return provider{r}
}()
