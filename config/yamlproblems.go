package config

import (
	"regexp"
	"strings"
)

// yamlProblems explain the problems of the YAML parser, by what its messages contain.
var yamlProblems = []struct{ contains, what, remedy string }{
	{"tab character", "a tab indents this line or the next", "indent with spaces"},
	{"found unexpected end of stream", "a quote is opened here and never closed", "close it with the same quote"},
	{"found unknown escape character", `there is an unknown escape in "…"`, `write \\ for a backslash, or put the text in single quotes`},
	{"mapping values are not allowed", "there is a colon where no key is allowed, or the indentation changes",
		"put a value that has a colon and a space in quotes; indent the keys of one block alike"},
	{"block sequence entries are not allowed", "a list begins on the line of its key", "begin each - on a line of its own"},
	{"did not find expected '-' indicator", "the entries of a list are not indented alike, or something else is among them",
		"indent each - alike, with a space after it, and the keys of an entry below its first key"},
	{"did not find expected ',' or", "a [ or { is not closed, or an entry lacks a comma", "close it; put a value that contains { } , or ${…} in quotes"},
	{"did not find expected node content", "a [ or { is not closed", "close it; put a value that begins with one of them in quotes"},
	{"did not find expected key", "there is text after a closing quote, or the indentation changes", "put the whole value in one pair of quotes; indent the keys of one block alike"},
	{"could not find expected ':'", "a key has no colon", "write key: value"},
	{"unknown anchor", "a value begins with *", "put it in quotes"},
}

// special matches a character that no plain value can begin with.
var special = regexp.MustCompile("(?:^|[\\[{,:]|- )\\s*([@`%])")

// explainedYAML explains a problem that the YAML parser found in a line of a text.
func explainedYAML(problem string, text []byte, line int) (what, remedy string) {
	if strings.Contains(problem, "cannot start any token") {
		around := linesAround(text, line)
		if m := special.FindStringSubmatch(around); m != nil {
			return "a value begins with " + m[1], "put it in quotes"
		}
		if strings.Contains(around, "\t") {
			return "a tab indents this line or the next", "indent with spaces"
		}
	}
	for _, known := range yamlProblems {
		if strings.Contains(problem, known.contains) {
			return known.what, known.remedy
		}
	}
	return problem, "check quotes, colons and indentation"
}

// linesAround returns a line and the next one: the parser may report either.
func linesAround(text []byte, line int) string {
	lines := strings.Split(string(text), "\n")
	from := min(max(0, line-1), len(lines))
	return strings.Join(lines[from:min(len(lines), from+2)], "\n")
}
