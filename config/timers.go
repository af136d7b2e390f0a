package config

import (
	"time"

	"segue/contract"
)

// timer describes one timer of an interaction.
type timer struct {
	// name is its key in a block of timeouts.
	name string
	// defaultValue is its default, as the file would write it.
	defaultValue string
	// most bounds it; 0 leaves it to the bound of every duration.
	most time.Duration
	// about is its description in the schema.
	about string
	field func(*contract.Timeouts) *time.Duration
}

// timers are the timers of interactions, in the order of the documentation. The file's
// blocks, the settings, the schema and the overrides of channels and queues read this
// table: a new timer is one line here, one field of contract.Timeouts and one line of
// the annotated example.
var timers = []timer{
	{"offer", "30s", 0, "An offer that no agent answers in this time is missed.",
		func(t *contract.Timeouts) *time.Duration { return &t.Offer }},
	{"queue", "10m", 0, "An interaction that waits longer in a queue overflows.",
		func(t *contract.Timeouts) *time.Duration { return &t.Queue }},
	{"wrap_up", "2m", 0, "How long an agent may wrap up.",
		func(t *contract.Timeouts) *time.Duration { return &t.WrapUp }},
	{"engagement", "60s", 0, "How long an engagement invitation waits for an answer.",
		func(t *contract.Timeouts) *time.Duration { return &t.Engagement }},
	{"lifetime", "168h", 0, "An interaction that lasts longer expires.",
		func(t *contract.Timeouts) *time.Duration { return &t.Lifetime }},
	{"late_events", "15m", 0, "How long a completed interaction still accepts a disposition, survey answers and user data, if agents took part.",
		func(t *contract.Timeouts) *time.Duration { return &t.LateEvents }},
	{"orphan", "5m", 0, "How long an interaction whose first command was rejected stays open.",
		func(t *contract.Timeouts) *time.Duration { return &t.Orphan }},
	// A caller whose update is ahead of its sequence waits this long for its result.
	{"sequence_gap", "2s", time.Minute, "How long an interaction waits for a missing source_sequence, at most 1m.",
		func(t *contract.Timeouts) *time.Duration { return &t.SequenceGap }},
}

// timerNames returns the keys of a block of timeouts.
func timerNames() []string {
	names := make([]string, len(timers))
	for i, t := range timers {
		names[i] = t.name
	}
	return names
}

// timerDescriptions returns the descriptions of the keys of a block of timeouts.
func timerDescriptions() map[string]key {
	keys := map[string]key{}
	for _, t := range timers {
		keys[t.name] = key{about: t.about}
	}
	return keys
}

// timerSettings returns the settings of all default timeouts.
func timerSettings() []processSetting {
	settings := make([]processSetting, len(timers))
	for i, t := range timers {
		settings[i] = processSetting{"timeouts.default." + t.name, t.defaultValue, durationUpTo(t.most)}
	}
	return settings
}

// fileDefaults are the timeouts of every channel.
type fileDefaults map[string]setting

func (fileDefaults) keys() []string { return timerNames() }

// fileOverrides are the timeouts of a channel or a queue; one that is not given is nil.
type fileOverrides map[string]*duration

func (fileOverrides) keys() []string { return timerNames() }

// override is a set of timeouts of which only some are given.
type override map[string]time.Duration

// override checks a block of timeouts and returns those that are given.
func (l *loader) override(at string, given fileOverrides) override {
	o := override{}
	for _, t := range timers {
		d := given[t.name]
		if d == nil {
			continue
		}
		o[t.name] = time.Duration(*d)
		if t.most > 0 {
			l.spanWithin(at+"."+t.name, o[t.name], spans{0, t.most})
		}
	}
	return o
}

// apply replaces the timeouts that are given.
func (o override) apply(to *contract.Timeouts) {
	for _, t := range timers {
		if d, given := o[t.name]; given {
			*t.field(to) = d
		}
	}
}
