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

// CommandStart is the command of the line that starts an interaction.
const CommandStart = "start"

// MaxLine is the length of the longest line that is sent, in bytes.
const MaxLine = 1 << 20

// Line is one line of a feed that can be sent.
type Line struct {
	// Number counts the lines of the file from 1, blank ones too.
	Number  int
	Name    client.Name
	Command string
	// EventID is the payload's event_id. A line without one gets one that is derived from its
	// content. It is empty if the event_id is not a string.
	EventID string
	// Payload is the line without the fields that address it.
	Payload json.RawMessage
}

// BadLine is a line that cannot be sent: it is not a JSON object, it is longer than MaxLine,
// or it does not name a valid interaction and a command.
type BadLine struct {
	// Err is why: ErrLineTooLarge, ErrNoContactCenter or another error. Reason is its text.
	Err    error
	Number int
	Reason string
}

// Scan reads a feed and calls good or bad for each line that is not blank, in order. Lines
// without a contact center are in the given one. Scan stops at the first error of the reader
// or of a call, and returns it.
func Scan(r io.Reader, contactCenter string, good func(Line) error, bad func(BadLine) error) error {
	return scan(r, contactCenter, good, bad, func() error { return nil })
}

// Two reasons why a line cannot be sent.
var (
	ErrLineTooLarge    = fmt.Errorf("the line has over %d bytes: use less in one command", MaxLine)
	ErrNoContactCenter = errors.New("contact_center: missing: the feed has none for its lines")
)

// readSize is how much of a feed is read at once, in bytes.
const readSize = 64 << 10

// scan does what Scan does. It calls pause whenever it may have to wait for the next line, and at the end.
func scan(r io.Reader, contactCenter string, good func(Line) error, bad func(BadLine) error, pause func() error) error {
	reader := bufio.NewReaderSize(r, readSize)
	repeats := map[string]int{}
	for number := 1; ; number++ {
		text, err := readLine(reader)
		if text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff"))); len(text) > 0 {
			if stop := emit(text, number, contactCenter, repeats, good, bad); stop != nil {
				return stop
			}
		}
		if err == nil && hasLine(reader) {
			continue
		}
		if stop := pause(); stop != nil {
			return stop
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}

// hasLine reports whether a whole line has been read.
func hasLine(reader *bufio.Reader) bool {
	read, err := reader.Peek(reader.Buffered())
	return err == nil && bytes.IndexByte(read, '\n') >= 0
}

func emit(text []byte, number int, contactCenter string, repeats map[string]int, good func(Line) error, bad func(BadLine) error) error {
	line, identified, err := parse(text, contactCenter)
	if err != nil {
		return bad(BadLine{Number: number, Reason: err.Error(), Err: err})
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

// parse reads a line. The line is identified if it has an event id. The interaction refuses an invalid
// one.
func parse(text []byte, contactCenter string) (line Line, identified bool, err error) {
	if len(text) > MaxLine {
		return Line{}, false, ErrLineTooLarge
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return Line{}, false, fmt.Errorf("the line is not a JSON object: %s", because(err))
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
			return Line{}, false, fmt.Errorf("%s: %s: use a string that is not empty", address.field, shown(raw))
		}
		delete(fields, address.field)
	}
	if line.Name.ContactCenter == "" {
		return Line{}, false, ErrNoContactCenter
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
		line.name(fields)
	}
	line.Payload, err = json.Marshal(fields)
	return line, identified, err
}

// name adds the interaction's id and contact center to a start object that lacks them: the
// workflow requires both.
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
	var other *json.UnmarshalTypeError
	if errors.As(err, &other) {
		return "it has the JSON type " + other.Value
	}
	return err.Error()
}

func shown(raw json.RawMessage) string {
	if raw == nil {
		return "missing"
	}
	return excerpt.Of(string(raw), 60)
}

// identify derives an event id from the line's content and from how often the same line came
// before, so that the same file has the same ids each time.
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
