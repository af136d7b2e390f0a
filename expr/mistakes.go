package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What CEL's parser and checker report, and what a person should write instead.

var (
	overload = regexp.MustCompile(`^found no matching overload for '([^']+)' applied to '(.*)'$`)
	expected = regexp.MustCompile(`^expected type '([^']+)' but found '([^']+)'$`)
	reserved = regexp.MustCompile(`^reserved identifier: (\w+)$`)
	wanted   = regexp.MustCompile(`(?:missing|expecting) '([)\]])'|expecting \{'([\]}])', ','\}|expecting '(:)'`)
)

// inWords rewrites a problem of CEL's. rest is the source from the problem's place on.
func inWords(source, rest, problem string) (what, remedy string) {
	if m := overload.FindStringSubmatch(problem); m != nil {
		return mismatch(m[1], operands(m[2]))
	}
	if m := expected.FindStringSubmatch(problem); m != nil {
		return "this is " + typeInWords(m[2]) + "; " + typeInWords(m[1]) + " is needed", `compare it with something, such as == "x"`
	}
	if m := reserved.FindStringSubmatch(problem); m != nil {
		return m[1] + " is no word of an expression", "write condition ? value : other"
	}
	if syntax, ok := strings.CutPrefix(problem, "Syntax error: "); ok {
		return syntaxInWords(source, rest, syntax)
	}
	return problem, ""
}

// slips are what is written by habit from other languages, by how it begins.
var slips = []struct{ begins, what, remedy string }{
	{"===", "there is no ===", "compare with =="},
	{"=", "there is no single =", "compare with =="},
	{"&", "there is no single &", "write && for and"},
	{"|", "there is no single |", "write || for or"},
	{"and ", "there is no word and", "write &&"},
	{"AND ", "there is no word AND", "write &&"},
	{"or ", "there is no word or", "write ||"},
	{"OR ", "there is no word OR", "write ||"},
	{"#", "#name# is for requests, not for expressions", "write the field instead, such as interaction.ani"},
	{"$", "${ } is for requests, and does not stand in an expression again", "leave the $ and its braces out"},
	{";", "there is a ; too many", "leave it out; && joins two conditions"},
	{"“", "curly quotes are no quotes here", `write "text"`},
	{"”", "curly quotes are no quotes here", `write "text"`},
	{"„", "curly quotes are no quotes here", `write "text"`},
	{"‘", "curly quotes are no quotes here", `write "text"`},
	{"’", "curly quotes are no quotes here", `write "text"`},
	{"'", "a text is not closed", "end it with the quote with which it begins"},
	{`"`, "a text is not closed", "end it with the quote with which it begins"},
	{")", "there is a ) too many", "leave it out, or open it before"},
	{"]", "there is a ] too many", "leave it out, or open it before"},
	{"}", "there is a } too many", "leave it out, or open it before"},
}

func syntaxInWords(source, rest, problem string) (what, remedy string) {
	switch {
	case strings.Contains(problem, "'<EOF>'"):
		if m := wanted.FindStringSubmatch(problem); m != nil {
			return "the expression ends too early", "it lacks a " + strings.Join(m[1:], "")
		}
		return "the expression ends too early", "write a value behind the last operator"
	case strings.HasPrefix(rest, ">") && strings.HasSuffix(strings.TrimSuffix(source, rest), "<"):
		return "there is no <>", "write != for unequal"
	case strings.HasSuffix(strings.ToLower(strings.TrimSpace(strings.TrimSuffix(source, rest))), "not"):
		return "there is no word not", "write ! before what is not to hold"
	case len(rest) > 1 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9':
		return "a name after a point cannot begin with a digit", `write it in brackets, such as user_data["1st"]`
	}
	for _, slip := range slips {
		if strings.HasPrefix(rest, slip.begins) {
			return slip.what, slip.remedy
		}
	}
	word := rest
	if end := strings.IndexAny(rest, " \t\n()[]{},"); end > 0 {
		word = rest[:end]
	}
	return fmt.Sprintf("%q does not belong here", word),
		`write a comparison, such as user_data.tier == "gold"; text has startsWith, endsWith, contains and matches`
}

// operands splits the types that an operator or a function was applied to.
func operands(applied string) []string {
	target, arguments, _ := strings.Cut(strings.TrimSuffix(applied, ")"), "(")
	var list []string
	if target = strings.TrimSuffix(target, "."); target != "" {
		list = append(list, target)
	}
	depth, start := 0, 0
	for i, c := range arguments {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			list = append(list, strings.TrimSpace(arguments[start:i]))
			start = i + 1
		}
	}
	if last := strings.TrimSpace(arguments[start:]); last != "" {
		list = append(list, last)
	}
	return list
}

// mismatch explains an operator or a function that does not take what it is given.
func mismatch(operator string, types []string) (what, remedy string) {
	var words []string
	for _, t := range types {
		words = append(words, typeInWords(t))
	}
	has := func(kinds ...string) bool {
		return slices.ContainsFunc(types, func(t string) bool { return slices.Contains(kinds, t) })
	}
	symbol := strings.Trim(strings.TrimPrefix(operator, "@"), "_")
	switch {
	case operator == "_?_:_":
		return "? : gives " + strings.Join(words[1:], " or "), "give both the same kind: string(…) makes text"
	case operator == "_[_]":
		return "[ ] does not go with " + words[0], "only an object and a list have it; substring takes a part of a text"
	case operator == "@in":
		remedy = `the right side is a list, such as ["a", "b"], or an object; contains looks for a part of a text`
	case has("string") && has("timestamp"):
		remedy = `timestamp("2026-01-31T08:00:00Z") makes a time of text`
	case has("string") && has("duration"):
		remedy = `duration("90s") makes a duration of text`
	case symbol == "+" && has("string"):
		remedy = "string(…) makes text of a value"
	case has("string") && has("int", "double", "uint"):
		remedy = "int(…) and double(…) read a number out of text"
	case has("int") && has("double"):
		remedy = "write a number with a point, such as 1.0, or double(…) around a whole one"
	case symbol == "!" || symbol == "-":
		remedy = "it goes with " + map[string]string{"!": "true and false", "-": "numbers"}[symbol] + " only"
	default:
		remedy = "give it values of the right kind: string(…), int(…) and double(…) convert"
	}
	return symbol + " does not go with " + strings.Join(words, " and "), remedy
}

// typeInWords names a type of CEL's.
func typeInWords(t string) string {
	words := map[string]string{
		"string": "text", "int": "a whole number", "uint": "a whole number", "double": "a number", "bool": "true or false",
		"timestamp": "a time", "duration": "a duration", "dyn": "open data", "bytes": "bytes", "null_type": "null",
	}
	if w, ok := words[t]; ok {
		return w
	}
	kind, _, _ := strings.Cut(t, "(")
	switch name, ours := strings.CutPrefix(kind, "segue."); {
	case ours:
		return "the whole " + strings.ToLower(name)
	case kind == "list":
		return "a list"
	case kind == "map":
		return "an object"
	}
	return t
}

// functions are those that expressions use most; CEL's own and those of its extensions.
var functions = []string{
	"size", "startsWith", "endsWith", "contains", "matches", "has", "int", "double", "string", "bool", "timestamp", "duration",
	"lowerAscii", "upperAscii", "trim", "split", "join", "replace", "substring", "indexOf", "format", "exists", "all", "map", "filter",
	"getFullYear", "getMonth", "getDate", "getHours", "getMinutes", "getSeconds",
}

// elsewhere are functions as other languages call them.
var elsewhere = map[string]string{
	"len": "size", "length": "size", "lenght": "size", "count": "size", "lower": "lowerAscii", "toLower": "lowerAscii",
	"toLowerCase": "lowerAscii", "upper": "upperAscii", "toUpper": "upperAscii", "toUpperCase": "upperAscii", "includes": "contains",
	"now": "event.at, the time of the event,",
}

// suggestFunction is the remedy for a function that there is not.
func suggestFunction(name string) string {
	if meant, ok := elsewhere[name]; ok {
		return "use " + meant + " instead"
	}
	return Suggest(name, functions)
}

// isCalled reports whether the name that begins the rest of a source, or its opening
// bracket, is a function's.
func isCalled(rest, name string) bool {
	return strings.HasPrefix(strings.TrimSpace(strings.TrimPrefix(rest, name)), "(")
}
