package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPhraseIsFoundInAnyCaseAndAcrossLinesOfAComment(t *testing.T) {
	text := "// Tells whether it runs.\n// It is put in\n// force, and tells\n// whether.\n# once\n# more\n"
	var lines []int
	var found []string
	for _, f := range check(text) {
		lines, found = append(lines, f.line), append(found, f.phrase)
	}
	require.Equal(t, []string{"tells whether", "in force", "tells whether", "once more"}, found)
	require.Equal(t, []int{1, 2, 3, 5}, lines)
}

func TestPlainTextHasNoFindings(t *testing.T) {
	for _, text := range []string{
		"reports whether it runs", "foretells whether", "the two are told apart", "for good reasons", "amendment, recommended",
		"renewed", "commander mender", "the lease is renewed in forceful words", "it stands in for the server",
		"a line\n\nbreak", "once\n\nmore", "that it is at least",
	} {
		require.Empty(t, check(text), text)
	}
}

// TestEveryPhraseNamesThePlainTerm makes sure that no entry is without a remedy.
func TestEveryPhraseNamesThePlainTerm(t *testing.T) {
	for _, p := range phrases {
		require.NotEmpty(t, p.instead, p.find)
	}
}
