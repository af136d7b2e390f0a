package config

import (
	"fmt"
	"maps"
	"slices"

	"segue/contract"
	"segue/expr"
	"segue/interaction"
)

// filePriorities is the block that decides which interactions are processed first when
// workers have a backlog.
type filePriorities struct {
	Default  *int           `yaml:"default"`
	Channels map[string]int `yaml:"channels"`
	Weights  []fileWeight   `yaml:"weights"`
}

// fileWeight is the entry of a list, not of a map: the ids of contact centers keep their case.
type fileWeight struct {
	ContactCenter string  `yaml:"contact_center" scalar:"true"`
	Weight        float64 `yaml:"weight"`
}

// priorities are the priorities of the file; 0 is none.
type priorities struct {
	fallback int
	channels map[interaction.Channel]int
	weights  map[string]float32 // by contact center
}

// Priority returns the priority of an interaction: that of its queue, else of its channel,
// else the default. The weight is that of its contact center.
func (s *Set) Priority(contactCenter string, channel interaction.Channel, queue string) contract.Priority {
	p := contract.Priority{Key: s.priorities.fallback, Weight: s.priorities.weights[contactCenter]}
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
		s.priorities.fallback = *given.Default
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
			l.decoder.fail(at+".contact_center", "", "the contact center is missing", "write contact_center: …")
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
