package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"segue/expr"
	"segue/interaction"

	"go.yaml.in/yaml/v3"
)

// timeouts applies the channels' overrides.
func (l *loader) timeouts(s *Set) {
	names := channelNames()
	for _, channel := range slices.Sorted(maps.Keys(l.file.Timeouts.Channels)) {
		if !slices.Contains(names, channel) {
			l.decoder.fail("timeouts.channels."+channel, channel, quoted(channel)+" is not a channel", expr.Suggest(channel, names))
			continue
		}
		t := s.defaults
		l.override("timeouts.channels."+channel, l.file.Timeouts.Channels[channel]).apply(&t)
		s.channels[interaction.Channel(channel)] = t
	}
}

func channelNames() []string {
	var names []string
	for _, c := range interaction.Channels() {
		names = append(names, string(c))
	}
	return names
}

// guard reads the allow-list from the environment, else from the file.
func (l *loader) guard(s *Set) {
	s.Guard.Allow = l.file.Guard.Allow
	path := "guard.allow"
	if given := os.Getenv(variable(path)); given != "" {
		s.Guard.Allow = nil
		for entry := range strings.SplitSeq(given, ",") {
			entry = strings.TrimSpace(entry)
			s.Guard.Allow = append(s.Guard.Allow, entry)
			if problem, remedy := checkReach.mistake(entry); problem != "" {
				l.failSetting(path, entry, problem, remedy)
			}
		}
		return
	}
	l.bounded(path, len(s.Guard.Allow), maxList)
	for i, entry := range s.Guard.Allow {
		if problem, remedy := checkReach.mistake(entry); problem != "" {
			l.decoder.fail(fmt.Sprintf("%s[%d]", path, i), entry, problem, remedy)
		}
	}
}

func (l *loader) queues(s *Set) {
	l.bounded("queues", len(l.file.Queues), maxList)
	seen := map[string]int{}
	for i, q := range l.file.Queues {
		at := fmt.Sprintf("queues[%d]", i)
		l.named(at, q.Name, seen)
		if q.Overflow != "" && q.Overflow == q.Name {
			l.decoder.fail(at+".overflow", q.Overflow, "a queue cannot overflow into itself", "name another queue, or remove overflow")
		}
		l.within(at+".max_misses", float64(q.MaxMisses), missesNumbers)
		queue := Queue{Name: q.Name, BusinessProcess: q.BusinessProcess, Overflow: q.Overflow,
			MaxMisses: q.MaxMisses, timeouts: l.override(at+".timeouts", q.Timeouts)}
		if q.Priority != nil && l.isPriority(at+".priority", *q.Priority) {
			queue.Priority = *q.Priority
		}
		s.Queues = append(s.Queues, queue)
	}
}

// named checks that an entry of a list has a name, and that no other entry has it.
func (l *loader) named(at, name string, seen map[string]int) {
	line := l.decoder.line(at + ".name")
	first, twice := seen[name]
	switch {
	case name == "":
		l.decoder.fail(at+".name", "", "the name is missing", "write name: …")
	case twice:
		l.decoder.fail(at+".name", name, fmt.Sprintf("the name %s is used twice, first in line %d", quoted(name), first), "use another name")
	default:
		seen[name] = line
	}
}

func (l *loader) desktop(s *Set) {
	s.Desktop = Desktop(l.file.Desktop)
	l.desktopCall(s)
	names := channelNames()
	l.bounded("desktop.scripts", len(s.Desktop.Scripts), maxList)
	l.bounded("desktop.dispositions", len(s.Desktop.Dispositions), maxList)
	seen := map[string]int{}
	entry := func(at string, channel interaction.Channel, id string) {
		if !slices.Contains(names, string(channel)) {
			l.decoder.fail(at+".channel", string(channel), quoted(string(channel))+" is not a channel", expr.Suggest(string(channel), names))
		}
		key := at[:strings.IndexByte(at, '[')] + string(channel) + "\x00" + id
		if id == "" {
			l.decoder.fail(at+".id", "", "the id is missing", "write id: …")
		} else if first, twice := seen[key]; twice {
			l.decoder.fail(at+".id", id, fmt.Sprintf("the id %s is used twice on this channel, first in line %d", quoted(id), first), "use another id")
		} else {
			seen[key] = l.decoder.line(at + ".id")
		}
	}
	for i, script := range s.Desktop.Scripts {
		entry(fmt.Sprintf("desktop.scripts[%d]", i), script.Channel, script.ID)
	}
	for i, d := range s.Desktop.Dispositions {
		at := fmt.Sprintf("desktop.dispositions[%d]", i)
		entry(at, d.Channel, d.ID)
		if d.Value == "" {
			l.decoder.fail(at+".value", "", "the code to record is missing", "write value: SOLD")
		}
		l.bounded(at+".labels", len(d.Labels), maxList)
	}
}

// desktopCall checks the call that lists what desktops offer.
func (l *loader) desktopCall(s *Set) {
	name := s.Desktop.Call
	if name == "" {
		return
	}
	call, isConfigured := s.calls[name]
	switch {
	case !isConfigured:
		l.decoder.fail("desktop.call", name, "there is no call "+quoted(name), expr.Suggest(name, s.names))
	case call.BuiltIn || call.Policy.DryRun:
		l.decoder.fail("desktop.call", name, "the call "+quoted(name)+" gets no response with scripts and dispositions", "name another call")
	case len(s.Desktop.Scripts)+len(s.Desktop.Dispositions) > 0:
		l.decoder.fail("desktop.call", name, "scripts and dispositions are listed here, too", "remove call, or scripts and dispositions")
	}
}

// version hashes everything that decides what is sent and when: the file without comments
// and process settings, and the values that come from defaults and the environment.
func (l *loader) version(s *Set, root *yaml.Node) string {
	h := sha256.New()
	if root != nil && root.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(root.Content); i += 2 {
			switch root.Content[i].Value {
			case "temporal", "log", "gateway", "bus", "board", "metrics":
			default:
				writeNode(h, root.Content[i])
				writeNode(h, root.Content[i+1])
			}
		}
	}
	effective := []any{s.defaults, s.Alerts, s.Guard, s.Engagement.Backend}
	for _, c := range s.Calls() {
		effective = append(effective, c.Policy)
	}
	if err := json.NewEncoder(h).Encode(effective); err != nil {
		panic("config: " + err.Error()) // plain data always encodes
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// writeNode writes a tree unambiguously; an alias is written as an alias.
func writeNode(w interface{ Write([]byte) (int, error) }, n *yaml.Node) {
	fmt.Fprintf(w, "%d %q %q %d\n", n.Kind, n.ShortTag(), n.Value, len(n.Content))
	for _, child := range n.Content {
		writeNode(w, child)
	}
}
