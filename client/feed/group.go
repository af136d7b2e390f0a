package feed

import (
	"bytes"
	"encoding/json"
	"iter"

	"segue/client"
)

// groupSize and groupMost bound what one message carries, in bytes and commands; one line may be longer. Temporal has a
// workflow task done again if 100 signals or 2 MB arrive while it runs: with larger messages, a few would be enough.
const (
	groupSize = 32 << 10
	groupMost = 100
)

// group is consecutive lines of one interaction: a start, or commands, or a start and the commands behind it.
type group struct {
	name     client.Name
	start    *Line
	commands []Line
}

// lines returns the lines in their order.
func (g *group) lines() iter.Seq[Line] {
	return func(yield func(Line) bool) {
		if g.start != nil && !yield(*g.start) {
			return
		}
		for _, line := range g.commands {
			if !yield(line) {
				return
			}
		}
	}
}

func (g *group) size() int {
	if g.start != nil {
		return 1 + len(g.commands)
	}
	return len(g.commands)
}

// groupsOf groups lines by interaction. It keeps the order of each interaction's lines.
func groupsOf(lines []Line) []group {
	var order []client.Name
	byName := map[client.Name][]Line{}
	for _, line := range lines {
		if byName[line.Name] == nil {
			order = append(order, line.Name)
		}
		byName[line.Name] = append(byName[line.Name], line)
	}
	var groups []group
	for _, name := range order {
		for rest := byName[name]; len(rest) > 0; {
			var g group
			g, rest = firstGroup(rest)
			groups = append(groups, g)
		}
	}
	return groups
}

// firstGroup returns the first group of an interaction's lines, and the lines behind it.
func firstGroup(lines []Line) (g group, rest []Line) {
	g.name = lines[0].Name
	if lines[0].Command == CommandStart {
		g.start, lines = &lines[0], lines[1:]
	}
	size, n := 0, 0
	for n < len(lines) && n < groupMost && lines[n].Command != CommandStart {
		size += len(lines[n].Payload) + len(lines[n].Command)
		if n > 0 && size > groupSize {
			break
		}
		n++
	}
	g.commands = lines[:n]
	return g, lines[n:]
}

// arrayOf returns the commands as a JSON array.
func arrayOf(lines []Line) json.RawMessage {
	array := []byte{'['}
	for i, line := range lines {
		if i > 0 {
			array = append(array, ',')
		}
		command, _ := json.Marshal(line.Command) // a string has no error
		array = append(append(array, `{"command":`...), command...)
		if fields := bytes.TrimPrefix(line.Payload, []byte("{")); len(fields) > len("}") {
			array = append(array, ',')
			array = append(array, fields...)
		} else {
			array = append(array, '}')
		}
	}
	return append(array, ']')
}
