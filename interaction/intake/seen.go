package intake

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// seenLimit is how many applied event ids an interaction remembers.
const seenLimit = 4096

// idDigest identifies an event id. 96 bits keep 4,096 ids in 64 KiB of a carried state,
// and make a false duplicate less likely than the loss of a disk.
type idDigest [12]byte

func digestOf(eventID string) idDigest {
	sum := sha256.Sum256([]byte(eventID))
	return idDigest(sum[:12])
}

// Seen remembers the last applied event ids, oldest first.
type Seen struct {
	order []idDigest
	known map[idDigest]struct{}
}

// Has reports whether the event id is among the remembered ones; "" never is.
func (s *Seen) Has(eventID string) bool {
	if eventID == "" {
		return false
	}
	_, ok := s.known[digestOf(eventID)]
	return ok
}

// Add remembers an applied event id, and forgets the oldest beyond the limit. It ignores "".
func (s *Seen) Add(eventID string) {
	if eventID != "" {
		s.remember(digestOf(eventID))
	}
}

func (s *Seen) remember(d idDigest) {
	if s.known == nil {
		s.known = make(map[idDigest]struct{})
	}
	s.known[d] = struct{}{}
	s.order = append(s.order, d)
	if len(s.order) > seenLimit {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
}

// MarshalJSON packs the digests into one string.
func (s Seen) MarshalJSON() ([]byte, error) {
	packed := make([]byte, 0, len(s.order)*len(idDigest{}))
	for _, d := range s.order {
		packed = append(packed, d[:]...)
	}
	return json.Marshal(packed)
}

// UnmarshalJSON unpacks what MarshalJSON packed.
func (s *Seen) UnmarshalJSON(data []byte) error {
	var packed []byte
	if err := json.Unmarshal(data, &packed); err != nil {
		return fmt.Errorf("seen event ids: %w", err)
	}
	*s = Seen{}
	for size := len(idDigest{}); len(packed) >= size; packed = packed[size:] {
		s.remember(idDigest(packed[:size]))
	}
	return nil
}
