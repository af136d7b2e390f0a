package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// finding is one phrase to reword.
type finding struct {
	line    int
	phrase  string
	instead string
}

// rule is one phrase with the expression that finds it.
type rule struct {
	find    *regexp.Regexp
	unless  *regexp.Regexp
	instead string
}

// rules are the compiled phrases.
var rules = compile(phrases)

// gap is what separates two words of a phrase: blanks, or a line break with the marker of a comment behind it.
const gap = `(?:[ \t]+|[ \t]*\n[ \t]*(?://|#|\*|>)?[ \t]*)`

// compile turns each blank of a phrase into a gap. A phrase starts with a literal, so that searching is fast; check
// tests the word boundary in front of it.
func compile(phrases []phrase) []rule {
	var rules []rule
	for _, p := range phrases {
		r := rule{find: regexp.MustCompile(strings.ReplaceAll(p.find, " ", gap) + `\b`), instead: p.instead}
		if p.unless != "" {
			r.unless = regexp.MustCompile(`^(?:` + strings.ReplaceAll(p.unless, " ", gap) + `)`)
		}
		rules = append(rules, r)
	}
	return rules
}

// check returns the phrases that a text contains, in order of their lines.
func check(text string) []finding {
	text = lower(text)
	var findings []finding
	for _, r := range rules {
		for _, at := range r.find.FindAllStringIndex(text, -1) {
			if at[0] > 0 && isWord(text[at[0]-1]) || r.unless != nil && r.unless.MatchString(text[at[0]:]) {
				continue
			}
			findings = append(findings, finding{
				line:    1 + strings.Count(text[:at[0]], "\n"),
				phrase:  strings.Join(words.FindAllString(text[at[0]:at[1]], -1), " "),
				instead: r.instead,
			})
		}
	}
	slices.SortStableFunc(findings, func(a, b finding) int { return cmp.Compare(a.line, b.line) })
	return findings
}

var words = regexp.MustCompile(`[\w'-]+`)

func isWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z'
}

// lower changes ASCII letters alone, so that every byte keeps its place.
func lower(text string) string {
	bytes := []byte(text)
	for i, b := range bytes {
		if 'A' <= b && b <= 'Z' {
			bytes[i] = b + 'a' - 'A'
		}
	}
	return string(bytes)
}
