package spelling

import "strings"

// Closest returns the candidate that a misspelled word most likely means, and "" if none is
// close. It ignores case.
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

// Misspells reports whether a word is most likely a misspelled name: the name in another
// case or with other separators (userData for user_data), or one slip away from a name of
// at least four letters, or two slips from a name of at least nine. A word that begins with
// another letter is not.
func Misspells(word, name string) bool {
	if word == name || len(word) > 64 {
		return false
	}
	w, n := plain(word), plain(name)
	switch {
	case w == n:
		return true
	case len(n) < 4 || w == "" || w[0] != n[0]:
		return false
	case len(n) < 9:
		return distance(w, n) <= 1
	}
	return distance(w, n) <= 2
}

var separators = strings.NewReplacer("_", "", "-", "", ".", "", " ", "")

// plain returns a name in lower case without the separators of its words.
func plain(name string) string { return separators.Replace(strings.ToLower(name)) }

// distance is the Levenshtein distance, in which two swapped neighbors count as one slip.
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
