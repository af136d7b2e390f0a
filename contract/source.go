package contract

import (
	"encoding/json"
	"fmt"

	"segue/interaction"
)

// maxSource is the largest source of a delivery that is kept, in bytes.
const maxSource = 16 << 10

// SourceOf returns what a request was rendered from, one event and the view at that event, so
// that an operator can have the request rendered again after the configuration is fixed. It
// returns nil for a source over 16 KiB (user data may have 64 KiB): a lane with many such
// deliveries must fit into its history, and redelivering the same bytes works in any case.
//
// Only requests that go to a lane workflow keep their source: it costs a failing receiver's
// deliveries some kilobytes each, and those of others nothing. The interaction's own history
// has the same data, but Temporal drops it long before a parked delivery's retention ends.
func SourceOf(view *interaction.View, event *interaction.Event) json.RawMessage {
	source, err := json.Marshal(interaction.Turn{View: *view, Events: []interaction.Event{*event}})
	if err != nil || len(source) > maxSource {
		return nil
	}
	return source
}

// DecodeSource returns the view and the event that the request was rendered from. It returns
// an error if the request has no source.
func (r Request) DecodeSource() (*interaction.View, *interaction.Event, error) {
	var turn interaction.Turn
	if err := json.Unmarshal(r.Source, &turn); err != nil {
		return nil, nil, fmt.Errorf("source of delivery %s: %w", r.ID, err)
	}
	if len(turn.Events) != 1 {
		return nil, nil, fmt.Errorf("source of delivery %s: has %d events, not 1", r.ID, len(turn.Events))
	}
	return &turn.View, &turn.Events[0], nil
}

// SizeWithSource returns the approximate size of the request in a hand-over, in bytes.
func (r Request) SizeWithSource() int { return r.Size() + len(r.Source) }

// WithoutSource returns the request without its source, which attempts do not need.
func (r Request) WithoutSource() Request {
	r.Source = nil
	return r
}
