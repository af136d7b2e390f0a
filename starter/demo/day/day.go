package day

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// DefaultSeed is the seed of the day in the repository.
const DefaultSeed = 20251114

// opening is when the contact center opens: a Friday that has long passed, so that
// no instant of the day is in the future anywhere.
var opening = time.Date(2025, 11, 14, 8, 0, 0, 0, time.UTC)

// openFor is how long interactions may begin.
const openFor = 10 * time.Hour

// Kind says what a line is there for.
type Kind string

// The kinds of line: good ones, and the five ways to be bad.
const (
	Good        Kind = "good"
	Unknown     Kind = "unknown_command"
	WrongType   Kind = "wrong_type"
	Illegal     Kind = "illegal"
	Duplicate   Kind = "duplicate"
	AfterTheEnd Kind = "after_the_end"
)

// BadKinds are the kinds that change nothing.
var BadKinds = []Kind{Unknown, WrongType, Illegal, Duplicate, AfterTheEnd}

// badShare is how many of a hundred lines are bad.
const badShare = 5

// Line is one line of the day.
type Line struct {
	Kind        Kind
	Interaction string
	Scenario    string
	At          time.Time
	Text        []byte
}

// Day is a generated day, in the order of its clock.
type Day struct{ Lines []Line }

// Generate makes up the day that follows from a seed.
func Generate(seed uint64) Day {
	chance := rand.New(rand.NewPCG(seed, seed))
	var scripts []*script
	for number, scenario := range shuffledScenarios(chance) {
		id := fmt.Sprintf("%s-%04d", scenario.prefix, number+1)
		begin := opening.Add(time.Duration(chance.Int64N(int64(openFor)))).Truncate(time.Millisecond)
		s := newScript(id, scenario.name, begin, rand.New(rand.NewPCG(seed, uint64(number)+1)))
		scenario.play(s)
		s.mustEnd()
		scripts = append(scripts, s)
	}
	addBadLines(scripts, chance)
	var d Day
	for _, s := range scripts {
		d.Lines = append(d.Lines, s.lines...)
	}
	slices.SortStableFunc(d.Lines, func(a, b Line) int { return a.At.Compare(b.At) })
	return d
}

// shuffledScenarios is one card for each interaction of the day, shuffled.
func shuffledScenarios(chance *rand.Rand) []scenario {
	var cards []scenario
	for _, s := range scenarios {
		for range s.count {
			cards = append(cards, s)
		}
	}
	chance.Shuffle(len(cards), func(i, j int) { cards[i], cards[j] = cards[j], cards[i] })
	return cards
}

// NDJSON is the day as a file.
func (d Day) NDJSON() []byte {
	var b bytes.Buffer
	for _, line := range d.Lines {
		b.Write(line.Text)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Count counts lines by what a function says of them.
func (d Day) Count(by func(Line) string) map[string]int {
	counts := map[string]int{}
	for _, line := range d.Lines {
		counts[by(line)]++
	}
	return counts
}

// Summary tells the mix in a few lines.
func (d Day) Summary() string {
	var b strings.Builder
	interactions := d.Count(func(l Line) string { return l.Interaction })
	fmt.Fprintf(&b, "%d lines of %d interactions\n", len(d.Lines), len(interactions))
	kinds := d.Count(func(l Line) string { return string(l.Kind) })
	for _, kind := range append([]Kind{Good}, BadKinds...) {
		fmt.Fprintf(&b, "  %-16s %d\n", kind, kinds[string(kind)])
	}
	return strings.TrimRight(b.String(), "\n")
}
