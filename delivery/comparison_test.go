package delivery_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheComparisonNamesTestsThatExist checks that each claim about Segue in docs/delivery.md
// names a test that exists.
func TestTheComparisonNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("../docs/delivery.md")
	require.NoError(t, err)
	source, err := exec.Command("grep", "-rhoE", `^func Test\w+`, "--include=*_test.go", "..").Output()
	require.NoError(t, err)
	exists := map[string]bool{}
	for line := range strings.Lines(string(source)) {
		exists[strings.TrimSpace(strings.TrimPrefix(line, "func "))] = true
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 7 || strings.HasPrefix(cells[0], "-") || strings.TrimSpace(cells[0]) == "" {
			continue
		}
		rows++
		shown := strings.TrimSpace(cells[6])
		require.NotContains(t, []string{"", "–", "-"}, shown, "nothing shows: %s", cells[0])
		for _, name := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(shown, -1) {
			require.True(t, exists[name[1]], "%s: there is no %s", cells[0], name[1])
		}
		for _, path := range regexp.MustCompile("`(bench/\\w+)`").FindAllStringSubmatch(shown, -1) {
			require.DirExists(t, "../"+path[1], cells[0])
		}
	}
	require.Greater(t, rows, 25)
}
