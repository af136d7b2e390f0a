package index

import (
	"context"
	"errors"

	"segue/bus"
	"segue/client"
	"segue/contract"
)

// Change is one step of the live stream: a notice, or a gap where notices of an interaction are lost.
type Change struct {
	At     bus.Position
	Notice *contract.Notice
	// Gap is set if the revisions From to To of the notice's interaction have no notice of their own;
	// the change that follows has the state after them.
	Gap *Gap
}

// Gap is a range of revisions whose notices are lost.
type Gap struct {
	Interaction client.Name
	From, To    int64
}

// ErrResync reports that a reader cannot go on from its position: it is too old, of another stream,
// or the reader fell behind what the replica keeps. The reader lists the present state and goes on
// from End.
var ErrResync = errors.New("the stream cannot go on from this position")

// Reader reads the live stream at its own position. It is not safe for concurrent use.
type Reader struct{}

// ReadFrom returns a reader that goes on after a position, or ErrResync.
func (x *Index) ReadFrom(_ context.Context, _ bus.Position) (*Reader, error) {
	return nil, errors.New("not built yet")
}

// End returns the position after all that the index has applied.
func (x *Index) End() bus.Position { return bus.Position{} }

// Next waits for the next change for which want is true. It returns ErrResync if the reader fell
// behind, or the error of the context. Position moves over unwanted changes, too.
func (r *Reader) Next(_ context.Context, _ func(*Change) bool) (*Change, error) {
	return nil, errors.New("not built yet")
}

// Position is the position of the last change that Next returned or passed over.
func (r *Reader) Position() bus.Position { return bus.Position{} }
