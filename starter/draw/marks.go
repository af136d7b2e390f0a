package draw

// mark is how a segment is drawn: a letter at its beginning, then a fill.
type mark struct{ letter, fill rune }

var marks = map[string]mark{
	"interaction_starts": {'s', '·'},
	"agent_selecting":    {'q', '░'},
	"offered":            {'o', '▒'},
	"preview":            {'p', '▒'},
	"dialing":            {'d', '▒'},
	"handling":           {'h', '█'},
	"consulting":         {'c', '▓'},
	"in_conference":      {'f', '▓'},
	"wrap_up":            {'w', '░'},
	"rejected":           {'r', '·'},
	"missed":             {'m', '·'},
	"overflow":           {'v', '·'},
	"abandoned":          {'a', '·'},
	"handled":            {'k', '·'},
	"interaction_ends":   {'|', ' '},
}

// markOf returns the mark of a segment. An unknown segment, as a newer worker may report it, has a mark too.
func markOf(segment string) mark {
	if m, ok := marks[segment]; ok {
		return m
	}
	return mark{'?', '?'}
}

// isEnd reports whether a segment is the end of its leg, which has no duration.
func isEnd(segment string) bool { return segment == "interaction_ends" }
