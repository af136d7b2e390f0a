package expr

import (
	"strings"

	"segue/spelling"
)

// Suggest returns the remedy for a word that is not among the candidates: the closest of
// them and, if they are few, all of them.
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
