package architecture_test

import (
	"fmt"
	"slices"
	"strings"
)

// pkg is one package of the repository.
type pkg struct {
	name    string // the folder
	program bool   // package main
	imports []string
	// tests are the imports of its tests alone.
	tests []string
}

// check returns one finding for each import that breaks a rule: the room, the import and the reason.
func check(packages []pkg) []string {
	var findings []string
	known := map[string]pkg{}
	for _, p := range packages {
		known[p.name] = p
	}
	for _, p := range packages {
		for _, r := range rules {
			if matches(r.room, p.name) {
				findings = append(findings, r.check(p, known)...)
			}
		}
		findings = append(findings, checkPrivate(p, known)...)
	}
	return append(findings, cycles(packages)...)
}

func (r rule) check(p pkg, known map[string]pkg) []string {
	imports := p.imports
	if r.tests {
		imports = slices.Concat(p.imports, p.tests)
	}
	var findings []string
	report := func(imported string) {
		findings = append(findings, fmt.Sprintf("%s imports %s: %s", p.name, imported, r.reason))
	}
	for _, imported := range imports {
		_, ours := known[imported]
		switch {
		case imported == p.name: // an external test of the package
		case ours && r.only != nil && !anyMatches(r.only, imported) && !anyMatches(leaves, imported),
			!ours && r.std && strings.Contains(strings.Split(imported, "/")[0], ".") && !slices.Contains(p.tests, imported),
			anyMatches(r.never, imported):
			report(imported)
		default:
			if path := reach(imported, r.never, known, map[string]bool{p.name: true}); path != nil {
				report(strings.Join(path, ", which imports "))
			}
		}
	}
	return findings
}

// reach returns how a package of the repository comes to import a forbidden one of the repository, nil if it does not.
func reach(from string, never []string, known map[string]pkg, seen map[string]bool) []string {
	if seen[from] {
		return nil
	}
	seen[from] = true
	for _, imported := range known[from].imports {
		if _, ours := known[imported]; !ours {
			continue
		}
		if anyMatches(never, imported) {
			return []string{from, imported}
		}
		if path := reach(imported, never, known, seen); path != nil {
			return append([]string{from}, path...)
		}
	}
	return nil
}

// checkPrivate finds imports of programs and of private rooms.
func checkPrivate(p pkg, known map[string]pkg) []string {
	var findings []string
	for _, imported := range slices.Concat(p.imports, p.tests) {
		if imported == p.name {
			continue
		}
		inTest := !slices.Contains(p.imports, imported)
		if known[imported].program {
			findings = append(findings, fmt.Sprintf("%s imports %s: nothing imports a program", p.name, imported))
		}
		for _, r := range private {
			if matches(r.room, imported) && !matches(r.room, p.name) && !anyMatches(r.by, p.name) && (r.tests || !inTest) {
				findings = append(findings, fmt.Sprintf("%s imports %s: %s", p.name, imported, r.reason))
			}
		}
	}
	return findings
}

// cycles finds rooms, which are top-level folders, that import each other in a circle. Programs do not count: nothing
// imports them.
func cycles(packages []pkg) []string {
	rooms := map[string][]string{}
	for _, p := range packages {
		for _, imported := range p.imports {
			from, to := top(p.name), top(imported)
			isOurs := slices.ContainsFunc(packages, func(other pkg) bool { return other.name == imported })
			if !p.program && isOurs && from != to && !slices.Contains(rooms[from], to) {
				rooms[from] = append(rooms[from], to)
			}
		}
	}
	var findings []string
	var visit func(path []string)
	done := map[string]bool{}
	visit = func(path []string) {
		room := path[len(path)-1]
		if at := slices.Index(path[:len(path)-1], room); at >= 0 {
			findings = append(findings, "rooms import each other: "+strings.Join(path[at:], ", "))
			return
		}
		if done[room] {
			return
		}
		for _, next := range rooms[room] {
			visit(append(slices.Clone(path), next))
		}
		done[room] = true
	}
	var names []string
	for room := range rooms {
		names = append(names, room)
	}
	slices.Sort(names)
	for _, room := range names {
		visit([]string{room})
	}
	return findings
}

func top(name string) string {
	room, _, _ := strings.Cut(name, "/")
	return room
}

func anyMatches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}

func matches(pattern, name string) bool {
	parent, below := strings.CutSuffix(pattern, "/...")
	return name == parent || below && strings.HasPrefix(name, parent+"/")
}
