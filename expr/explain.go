package expr

import (
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
)

var (
	undeclared = regexp.MustCompile(`undeclared reference to '([^']+)'`)
	undefined  = regexp.MustCompile(`undefined field '([^']+)'`)
)

// explain turns the first issue that CEL reports into an error with a remedy.
func explain(source string, place Place, issues *cel.Issues) *Error {
	e := &Error{Expr: source, Column: 1, Problem: issues.Err().Error()}
	list := issues.Errors()
	if len(list) == 0 {
		return e
	}
	first := list[0]
	e.Problem = strings.TrimSpace(strings.SplitN(first.Message, "\n", 2)[0])
	e.Column = first.Location.Column() + 1
	if line := first.Location.Line(); line > 1 {
		for i, l := range strings.SplitAfter(source, "\n") {
			if i < line-1 {
				e.Column += len([]rune(l))
			}
		}
	}
	rest := restOf(source, e.Column)
	if m := undeclared.FindStringSubmatch(e.Problem); m != nil && isCalled(rest, m[1]) {
		e.Problem = "there is no function " + m[1]
		e.Remedy = suggestFunction(m[1])
	} else if m != nil {
		e.Problem = "there is no " + strings.TrimPrefix(m[1], ".")
		if m[1] == "delivery" && place == InBody {
			e.Remedy = "use delivery in headers only: the body is the same in all attempts"
			return e
		}
		e.Remedy = Suggest(m[1], variableNames())
	} else if m := undefined.FindStringSubmatch(e.Problem); m != nil {
		e.Problem = "there is no field " + m[1]
		if m[1] == "attempt" && place == InHeader && strings.Contains(source, "delivery.attempt") {
			e.Remedy = "delivery.attempt cannot be part of an expression: write ${delivery.attempt}, with text around it; the number is inserted when the header is sent"
			return e
		}
		e.Remedy = Suggest(m[1], fieldsBefore(source, e.Column))
	} else {
		e.Problem, e.Remedy = explained(source, rest, e.Problem)
	}
	return e
}

// restOf returns the source from a column on.
func restOf(source string, column int) string {
	runes := []rune(source)
	return string(runes[min(column-1, len(runes)):])
}

func variableNames() []string {
	names := make([]string, len(variables))
	for i, v := range variables {
		names[i] = v.name
	}
	return names
}

// fieldsBefore returns the fields of the variable before a wrong selection. CEL reports the
// column of the dot.
func fieldsBefore(source string, column int) []string {
	runes := []rune(source)
	end := min(column-1, len(runes))
	start := end
	for start > 0 && (runes[start-1] == '_' || runes[start-1] >= 'a' && runes[start-1] <= 'z') {
		start--
	}
	name := string(runes[start:end])
	for _, v := range variables {
		if v.name == name {
			if o, ok := declared[v.kind.TypeName()]; ok {
				return o.names
			}
		}
	}
	return nil
}
