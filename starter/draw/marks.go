package draw

// mark is how a segment looks: a letter where it begins, then a fill.
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

// markOf gives a segment that this package has never heard of a look as well: a
// newer worker may report it.
func markOf(segment string) mark {
	if m, ok := marks[segment]; ok {
		return m
	}
	return mark{'?', '?'}
}

// isEnd tells whether a segment is the end of its leg, which lasts no time.
func isEnd(segment string) bool { return segment == "interaction_ends" }
