package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The messages of CEL's parser and type checker.
var (
	overload = regexp.MustCompile(`^found no matching overload for '([^']+)' applied to '(.*)'$`)
	expected = regexp.MustCompile(`^expected type '([^']+)' but found '([^']+)'$`)
	reserved = regexp.MustCompile(`^reserved identifier: (\w+)$`)
	wanted   = regexp.MustCompile(`(?:missing|expecting) '([)\]])'|expecting \{'([\]}])', ','\}|expecting '(:)'`)
)

// explained explains a problem that CEL reports. rest is the source from the place of the
// problem on.
func explained(source, rest, problem string) (what, remedy string) {
	if m := overload.FindStringSubmatch(problem); m != nil {
		return mismatch(m[1], operands(m[2]))
	}
	if m := expected.FindStringSubmatch(problem); m != nil {
		return "this is " + typeInWords(m[2]) + "; " + typeInWords(m[1]) + " is needed", `compare it with something, such as == "x"`
	}
	if m := reserved.FindStringSubmatch(problem); m != nil {
		return m[1] + " cannot be used in an expression", "write condition ? value : other"
	}
	if syntax, ok := strings.CutPrefix(problem, "Syntax error: "); ok {
		return explainedSyntax(source, rest, syntax)
	}
	return problem, ""
}

// slips are habits from other languages, by how they begin.
var slips = []struct{ begins, what, remedy string }{
	{"===", "there is no ===", "compare with =="},
	{"=", "there is no single =", "compare with =="},
	{"&", "there is no single &", "write && for and"},
	{"|", "there is no single |", "write || for or"},
	{"and ", "there is no word and", "write &&"},
	{"AND ", "there is no word AND", "write &&"},
	{"or ", "there is no word or", "write ||"},
	{"OR ", "there is no word OR", "write ||"},
	{"#", "#name# cannot be used in an expression", "write the field instead, such as interaction.ani"},
	{"$", "${ } cannot be used in an expression", "remove the $ and its braces"},
	{";", "there is a ; too many", "remove it; && joins two conditions"},
	{"“", "curly quotes are not quotes in an expression", `write "text"`},
	{"”", "curly quotes are not quotes in an expression", `write "text"`},
	{"„", "curly quotes are not quotes in an expression", `write "text"`},
	{"‘", "curly quotes are not quotes in an expression", `write "text"`},
	{"’", "curly quotes are not quotes in an expression", `write "text"`},
	{"'", "a text is not closed", "end it with the quote that it begins with"},
	{`"`, "a text is not closed", "end it with the quote that it begins with"},
	{")", "there is a ) too many", "remove it, or open it before"},
	{"]", "there is a ] too many", "remove it, or open it before"},
	{"}", "there is a } too many", "remove it, or open it before"},
}

func explainedSyntax(source, rest, problem string) (what, remedy string) {
	switch {
	case strings.Contains(problem, "'<EOF>'"):
		if m := wanted.FindStringSubmatch(problem); m != nil {
			return "the expression ends too early", "add a " + strings.Join(m[1:], "")
		}
		return "the expression ends too early", "write a value after the last operator"
	case strings.HasPrefix(rest, ">") && strings.HasSuffix(strings.TrimSuffix(source, rest), "<"):
		return "there is no <>", "write !="
	case strings.HasSuffix(strings.ToLower(strings.TrimSpace(strings.TrimSuffix(source, rest))), "not"):
		return "there is no word not", "write ! before the condition"
	case len(rest) > 1 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9':
		return "a name after a dot cannot begin with a digit", `write it in brackets, such as user_data["1st"]`
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

// operands returns the types that an operator or a function was applied to.
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

// mismatch explains an operator or a function that does not accept its operands.
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
		return "? : results in " + strings.Join(words[1:], " or "), "use the same type for both; string(…) converts to text"
	case operator == "_[_]":
		return "[ ] does not accept " + words[0], "use it on an object or a list; substring returns a part of a text"
	case operator == "@in":
		remedy = `write a list on the right side, such as ["a", "b"], or an object; contains finds a part of a text`
	case has("string") && has("timestamp"):
		remedy = `convert text to a time: timestamp("2026-01-31T08:00:00Z")`
	case has("string") && has("duration"):
		remedy = `convert text to a duration: duration("90s")`
	case symbol == "+" && has("string"):
		remedy = "convert the value to text: string(…)"
	case has("string") && has("int", "double", "uint"):
		remedy = "convert text to a number: int(…) or double(…)"
	case has("int") && has("double"):
		remedy = "write a number with a decimal point, such as 1.0, or double(…) around a whole number"
	case symbol == "!" || symbol == "-":
		remedy = "use it with " + map[string]string{"!": "true and false", "-": "numbers"}[symbol] + " only"
	default:
		remedy = "use values of the right type; string(…), int(…) and double(…) convert"
	}
	return symbol + " does not accept " + strings.Join(words, " and "), remedy
}

// typeInWords names a type of CEL.
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

// functions are the most common functions of CEL and its extensions.
var functions = []string{
	"size", "startsWith", "endsWith", "contains", "matches", "has", "int", "double", "string", "bool", "timestamp", "duration",
	"lowerAscii", "upperAscii", "trim", "split", "join", "replace", "substring", "indexOf", "format", "exists", "all", "map", "filter",
	"getFullYear", "getMonth", "getDate", "getHours", "getMinutes", "getSeconds",
}

// otherNames are the names of functions in other languages.
var otherNames = map[string]string{
	"len": "size", "length": "size", "lenght": "size", "count": "size", "lower": "lowerAscii", "toLower": "lowerAscii",
	"toLowerCase": "lowerAscii", "upper": "upperAscii", "toUpper": "upperAscii", "toUpperCase": "upperAscii", "includes": "contains",
	"now": "event.at, the time of the event,",
}

// suggestFunction returns the remedy for a function that does not exist.
func suggestFunction(name string) string {
	if meant, ok := otherNames[name]; ok {
		return "use " + meant + " instead"
	}
	return Suggest(name, functions)
}

// isCalled reports whether the rest of a source begins with a call of the named function, or
// with the opening parenthesis of the call.
func isCalled(rest, name string) bool {
	return strings.HasPrefix(strings.TrimSpace(strings.TrimPrefix(rest, name)), "(")
}
