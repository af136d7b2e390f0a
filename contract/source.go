package contract

import (
	"encoding/json"
	"fmt"

	"segue/interaction"
)

// maxSource bounds what is kept of one delivery's source, in bytes.
const maxSource = 16 << 10

// SourceOf is what a request was rendered from: one event and the view of its turn,
// so that an operator may have it rendered anew once the configuration is mended.
//
// It is kept only with what goes to a lane workflow: there it costs a failing
// receiver's deliveries some kilobytes each, and healthy ones nothing. The
// interaction's own history has it all, too, but closes, and leaves the namespace,
// long before a parked delivery's retention ends. A large one (user data may have
// 64 KiB) is not kept, nil: redelivering the bytes as they are always works, and a
// lane with many such deliveries must still fit into its history.
func SourceOf(view *interaction.View, event *interaction.Event) json.RawMessage {
	source, err := json.Marshal(interaction.Turn{View: *view, Events: []interaction.Event{*event}})
	if err != nil || len(source) > maxSource {
		return nil
	}
	return source
}

// DecodeSource reads the request's source.
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

// SizeWithSource is roughly what the request weighs when it is handed over, in bytes.
func (r Request) SizeWithSource() int { return r.Size() + len(r.Source) }

// WithoutSource is the request as an attempt needs it.
func (r Request) WithoutSource() Request {
	r.Source = nil
	return r
}
