package platform

import (
	"testing"

	"segue/bus"
	"segue/gateway/index"
)

// IDOf is the id of an interaction that is started without one.
var IDOf = idOf

// EndOf is the id of a place in the stream.
func EndOf(at bus.Position) string { return endOf(at).String() }

// LifeOf is the life of a stream in ids.
var LifeOf = lifeOf

// ParseID reads an id and writes it again.
func ParseID(text string) (string, bool) {
	id, ok := parseID(text)
	return id.String(), ok
}

// Frames are the events of a change as they are sent.
func Frames(t *testing.T, c *index.Change) (frames []string) {
	t.Helper()
	var shared encodings
	found, err := shared.of(c).moments(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		frames = append(frames, string(f.bytes))
	}
	return frames
}

// Cursors seals and opens cursors of a list with keys.
type Cursors struct{ api *api }

// NewCursors returns cursors that are sealed with the present keys.
func NewCursors(keys func() [][]byte) Cursors {
	return Cursors{&api{Options: Options{CursorKeys: keys}, ownKey: []byte("own")}}
}

func (c Cursors) Seal() (string, error)  { return c.api.seal(cursor{ID: "i1"}, "list") }
func (c Cursors) Opens(text string) bool { _, err := c.api.open(text, "list"); return err == nil }
