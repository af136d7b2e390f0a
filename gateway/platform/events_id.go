package platform

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"segue/bus"
)

// Places of events in a notice. The place of a moment must not depend on whether this replica has
// seen a gap before it.
const (
	placeGap = iota
	placeState
	placeMoment
	// placeEnd is after all events of a notice.
	placeEnd = 999999
)

// eventID is the id of an event: the life of the stream of notices, the notice's number in it, and the
// event's place in the notice.
type eventID struct {
	life     string
	sequence uint64
	place    int
}

// lifeOf returns the life of a stream as ids have it.
func lifeOf(epoch string) string {
	sum := sha256.Sum256([]byte(epoch))
	return hex.EncodeToString(sum[:6])
}

// String writes the id; parseID reads it.
func (id eventID) String() string {
	return id.life + "-" + strconv.FormatUint(id.sequence, 10) + "-" + strconv.Itoa(id.place)
}

func parseID(text string) (id eventID, ok bool) {
	parts := strings.Split(text, "-")
	if len(parts) != 3 {
		return id, false
	}
	sequence, err := strconv.ParseUint(parts[1], 10, 63)
	if err != nil {
		return id, false
	}
	place, err := strconv.ParseUint(parts[2], 10, 31)
	return eventID{life: parts[0], sequence: sequence, place: int(place)}, err == nil
}

// endOf returns the id of a place in the stream from which a client goes on with the next notice.
func endOf(at bus.Position) eventID {
	return eventID{life: lifeOf(at.Epoch), sequence: at.Sequence, place: placeEnd}
}
