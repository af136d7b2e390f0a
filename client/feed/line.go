package feed

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"segue/client"
	"segue/excerpt"
)

// CommandStart is the line that starts its interaction.
const CommandStart = "start"

// MaxLine is the longest line that is taken, in bytes.
const MaxLine = 1 << 20

// Line is one line of a feed that can be sent.
type Line struct {
	// Number counts the lines of the file from 1, blank ones too.
	Number  int
	Name    client.Name
	Command string
	// EventID is the payload's event_id. A line without one has got one that
	// follows from its content; a line whose event_id is no text has none.
	EventID string
	// Payload is the line without what addresses it.
	Payload json.RawMessage
}

// BadLine is a line that names no interaction or no command, so that there is
// nobody to send it to.
type BadLine struct {
	Number int
	Reason string
}

// Scan reads a feed and gives each line, good or bad, in order. Lines that name
// no contact center get the one given. It stops at the first error of the reader
// or of one of the two functions.
func Scan(r io.Reader, contactCenter string, good func(Line) error, bad func(BadLine) error) error {
	reader := bufio.NewReaderSize(r, 64<<10)
	repeats := map[string]int{}
	for number := 1; ; number++ {
		text, err := readLine(reader)
		if text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff"))); len(text) > 0 {
			if given := give(text, number, contactCenter, repeats, good, bad); given != nil {
				return given
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}

func give(text []byte, number int, contactCenter string, repeats map[string]int, good func(Line) error, bad func(BadLine) error) error {
	line, identified, err := parse(text, contactCenter)
	if err != nil {
		return bad(BadLine{Number: number, Reason: err.Error()})
	}
	line.Number = number
	if !identified {
		line.identify(repeats)
	}
	return good(line)
}

// readLine reads one line of any length and keeps no more of it than MaxLine.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := reader.ReadSlice('\n')
		if len(line) <= MaxLine {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// parse reads a line. It is identified when it needs no event id from its content: it
// has one, of whatever form (what is wrong with it is for the interaction to say), or
// it is a start.
func parse(text []byte, contactCenter string) (line Line, identified bool, err error) {
	if len(text) > MaxLine {
		return Line{}, false, fmt.Errorf("the line has over %d bytes: send less in one command", MaxLine)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return Line{}, false, fmt.Errorf("the line is no JSON object: %s", because(err))
	}
	line.Name = client.Name{ContactCenter: contactCenter}
	for _, address := range []struct {
		field string
		into  *string
	}{{"interaction", &line.Name.ID}, {"contact_center", &line.Name.ContactCenter}, {"command", &line.Command}} {
		raw, given := fields[address.field]
		if !given && address.field == "contact_center" {
			continue
		}
		if !given || json.Unmarshal(raw, address.into) != nil || *address.into == "" {
			return Line{}, false, fmt.Errorf("%s: %s: give it as text", address.field, shown(raw))
		}
		delete(fields, address.field)
	}
	if err := line.Name.Check(); err != nil {
		return Line{}, false, err
	}
	switch raw := string(fields["event_id"]); raw {
	case "", "null", `""`:
		delete(fields, "event_id")
	default:
		identified = true
		if json.Unmarshal(fields["event_id"], &line.EventID) != nil {
			line.EventID = ""
		}
	}
	if line.Command == CommandStart {
		identified = true
		line.name(fields)
	}
	line.Payload, err = json.Marshal(fields)
	return line, identified, err
}

// name writes into a start object which interaction it starts, as the workflow
// wants it, unless it says so itself.
func (l *Line) name(fields map[string]json.RawMessage) {
	for field, value := range map[string]string{"id": l.Name.ID, "contact_center": l.Name.ContactCenter} {
		if _, given := fields[field]; !given {
			fields[field] = json.RawMessage(`"` + value + `"`) // its characters need no escape
		}
	}
}

func because(err error) string {
	if err == nil {
		return "it is null"
	}
	return err.Error()
}

func shown(raw json.RawMessage) string {
	if raw == nil {
		return "missing"
	}
	return excerpt.Of(string(raw), 60)
}

// identify gives a command without an event id one that follows from its content
// and from how often the same line came before: the same file gives the same ids.
func (l *Line) identify(repeats map[string]int) {
	sum := sha256.Sum256([]byte(l.Name.String() + "\x00" + l.Command + "\x00" + string(l.Payload)))
	id := "feed-" + hex.EncodeToString(sum[:12])
	repeats[id]++
	if n := repeats[id]; n > 1 {
		id += "-" + strconv.Itoa(n)
	}
	quoted, err := json.Marshal(id)
	if err != nil {
		return
	}
	prefix := append([]byte(`{"event_id":`), quoted...)
	if rest := bytes.TrimPrefix(l.Payload, []byte("{")); len(rest) > 1 {
		l.Payload = append(append(prefix, ','), rest...)
	} else {
		l.Payload = append(prefix, '}')
	}
	l.EventID = id
}
