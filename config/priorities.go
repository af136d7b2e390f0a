package config

import (
	"fmt"
	"maps"
	"slices"

	"segue/contract"
	"segue/expr"
	"segue/interaction"
)

// filePriorities says who goes first when there is more to do than workers can.
type filePriorities struct {
	Default  *int           `yaml:"default"`
	Channels map[string]int `yaml:"channels"`
	Weights  []fileWeight   `yaml:"weights"`
}

// fileWeight is a list entry, for names of contact centers keep their case.
type fileWeight struct {
	ContactCenter string  `yaml:"contact_center" scalar:"true"`
	Weight        float64 `yaml:"weight"`
}

// priorities are the numbers of the file; what it does not name is 0.
type priorities struct {
	standard int
	channels map[interaction.Channel]int
	weights  map[string]float32 // by contact center
}

// Priority says whose turn an interaction is: its queue says it, else its channel,
// else the default; and its contact center how often.
func (s *Set) Priority(contactCenter string, channel interaction.Channel, queue string) contract.Priority {
	p := contract.Priority{Key: s.priorities.standard, Weight: s.priorities.weights[contactCenter]}
	if key, ok := s.priorities.channels[channel]; ok {
		p.Key = key
	}
	if q, ok := s.Queue(queue); ok && q.Priority != 0 {
		p.Key = q.Priority
	}
	return p
}

func (l *loader) priorities(s *Set) {
	given := l.file.Priorities
	s.priorities = priorities{channels: map[interaction.Channel]int{}, weights: map[string]float32{}}
	if given.Default != nil && l.isPriority("priorities.default", *given.Default) {
		s.priorities.standard = *given.Default
	}
	names := channelNames()
	for _, channel := range slices.Sorted(maps.Keys(given.Channels)) {
		at := "priorities.channels." + channel
		if !slices.Contains(names, channel) {
			l.decoder.fail(at, channel, quoted(channel)+" is not a channel", expr.Suggest(channel, names))
		}
		if l.isPriority(at, given.Channels[channel]) {
			s.priorities.channels[interaction.Channel(channel)] = given.Channels[channel]
		}
	}
	l.bounded("priorities.weights", len(given.Weights), maxList)
	for i, w := range given.Weights {
		at := fmt.Sprintf("priorities.weights[%d]", i)
		switch _, twice := s.priorities.weights[w.ContactCenter]; {
		case w.ContactCenter == "":
			l.decoder.fail(at+".contact_center", "", "a weight is of a contact center", "write contact_center: …")
		case twice:
			l.decoder.fail(at+".contact_center", w.ContactCenter, quoted(w.ContactCenter)+" has a weight already", "keep one")
		case l.within(at+".weight", w.Weight, weightNumbers):
			s.priorities.weights[w.ContactCenter] = float32(w.Weight)
		}
	}
}

func (l *loader) isPriority(at string, key int) bool {
	return l.within(at, float64(key), priorityNumbers)
}
