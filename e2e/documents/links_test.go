package documents_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noWord  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// Every link to a file of the repository leads to a file, and to a heading of it.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	decisions, err := filepath.Glob("../../docs/decisions/*.md")
	require.NoError(t, err)
	found := 0
	for _, page := range append(append(pages(t), decisions...), "../../CONTRIBUTING.md", "../../SECURITY.md") {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, target := range link.FindAllStringSubmatch(string(content), -1) {
			if strings.Contains(target[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(target[1], "#")
			path := filepath.Join(filepath.Dir(page), file)
			if file == "" {
				path = page
			}
			if !assertExists(t, path, page, target[1]) {
				continue
			}
			found++
			if anchor != "" && !anchors(t, path)[anchor] {
				t.Errorf("%s: %s: there is no such heading", page, target[1])
			}
		}
	}
	require.Greater(t, found, 200)
}

func assertExists(t *testing.T, path, page, target string) bool {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("%s: %s: %v", page, target, err)
		return false
	}
	return true
}

// anchors are the headings of a page as GitHub names them in links.
func anchors(t *testing.T, page string) map[string]bool {
	t.Helper()
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	found := map[string]bool{}
	for _, title := range heading.FindAllStringSubmatch(string(content), -1) {
		found[strings.ReplaceAll(noWord.ReplaceAllString(strings.ToLower(title[1]), ""), " ", "-")] = true
	}
	return found
}
