package expr

import (
	"strings"

	"segue/spelling"
)

// Suggest is the remedy for a word that is none of the candidates.
func Suggest(word string, candidates []string) string {
	if len(candidates) == 0 {
		return ""
	}
	list := "use " + strings.Join(candidates, ", ")
	if c := spelling.Closest(word, candidates); c != "" {
		if len(candidates) > 12 {
			return "did you mean " + c + "?"
		}
		return "did you mean " + c + "? " + list
	}
	return list
}
