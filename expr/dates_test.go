package expr_test

import (
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/expr"
	"segue/interaction"
)

// The expressions for dates and times in docs/ecs.md have the results that it shows.
func TestDatesInTheDocumentationAreCorrect(t *testing.T) {
	page, err := os.ReadFile("../docs/ecs.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| `\\$\\{(.+)\\}` \\| `([^`]*)` \\|$").FindAllStringSubmatch(string(page), -1)
	require.GreaterOrEqual(t, len(rows), 8)
	at := time.Date(2026, 1, 15, 23, 5, 9, 250_000_000, time.UTC)
	scope := &expr.Scope{
		View:  &interaction.View{Interaction: interaction.Facts{StartedAt: at.Add(-131 * time.Second)}, UserData: map[string]any{"callback": "2026-01-16T08:00:00+01:00"}},
		Event: &interaction.Event{At: at},
	}
	for _, row := range rows {
		program, err := expr.Compile(row[1], expr.InBody)
		require.NoError(t, err, row[1])
		value, err := program.Eval(scope)
		require.NoError(t, err, row[1])
		text, err := expr.Text(value)
		require.NoError(t, err)
		require.Equal(t, row[2], text, row[1])
	}
}
