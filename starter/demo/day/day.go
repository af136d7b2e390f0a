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

// opening is the time when the contact center opens: a Friday in the past, so that no line has a time in the future.
var opening = time.Date(2025, 11, 14, 8, 0, 0, 0, time.UTC)

// openFor is the period in which interactions begin.
const openFor = 10 * time.Hour

// Kind is the kind of a line.
type Kind string

// The kinds of line: good ones and five kinds of bad ones.
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

// badShare is the percentage of bad lines.
const badShare = 5

// Line is one line of the day.
type Line struct {
	Kind        Kind
	Interaction string
	Scenario    string
	At          time.Time
	Text        []byte
}

// Day is a generated day, in the order of its times.
type Day struct{ Lines []Line }

// Generate returns the day of a seed.
func Generate(seed uint64) Day {
	random := rand.New(rand.NewPCG(seed, seed))
	var scripts []*script
	for number, scenario := range shuffledScenarios(random) {
		id := fmt.Sprintf("%s-%04d", scenario.prefix, number+1)
		begin := opening.Add(time.Duration(random.Int64N(int64(openFor)))).Truncate(time.Millisecond)
		s := newScript(id, scenario.name, begin, rand.New(rand.NewPCG(seed, uint64(number)+1)))
		scenario.play(s)
		s.mustEnd()
		scripts = append(scripts, s)
	}
	addBadLines(scripts, random)
	var d Day
	for _, s := range scripts {
		d.Lines = append(d.Lines, s.lines...)
	}
	slices.SortStableFunc(d.Lines, func(a, b Line) int { return a.At.Compare(b.At) })
	return d
}

// shuffledScenarios returns the scenario of each interaction, in random order.
func shuffledScenarios(random *rand.Rand) []scenario {
	var all []scenario
	for _, s := range scenarios {
		for range s.count {
			all = append(all, s)
		}
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// NDJSON returns the day as a file for `segue feed`.
func (d Day) NDJSON() []byte {
	var b bytes.Buffer
	for _, line := range d.Lines {
		b.Write(line.Text)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Count counts the lines by the key that by returns.
func (d Day) Count(by func(Line) string) map[string]int {
	counts := map[string]int{}
	for _, line := range d.Lines {
		counts[by(line)]++
	}
	return counts
}

// Summary counts the interactions and the lines by kind, as text.
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
