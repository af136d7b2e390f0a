package expr

import "strings"

// Closest finds the candidate that a misspelt word most likely means; empty when
// none is near.
func Closest(word string, candidates []string) string {
	if len(word) > 64 {
		return ""
	}
	best, least := "", len(word)/3+2
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// Suggest is the remedy for a word that is none of the candidates.
func Suggest(word string, candidates []string) string {
	if len(candidates) == 0 {
		return ""
	}
	list := "use " + strings.Join(candidates, ", ")
	if c := Closest(word, candidates); c != "" {
		if len(candidates) > 12 {
			return "did you mean " + c + "?"
		}
		return "did you mean " + c + "? " + list
	}
	return list
}

// distance is the Levenshtein distance with swapped neighbours counting once.
func distance(a, b string) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			step := 1
			if a[i-1] == b[j-1] {
				step = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+step)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
