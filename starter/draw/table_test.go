package draw_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/starter/draw"
)

func tableOf(t *testing.T, rows ...[]string) string {
	t.Helper()
	var text strings.Builder
	require.NoError(t, draw.Table(&text, rows))
	return text.String()
}

func TestColumnsAreAligned(t *testing.T) {
	require.Equal(t, "ID     STATE    AGENT\nc1     queued\nc-län  offered  ada\n",
		tableOf(t, []string{"ID", "STATE", "AGENT"}, []string{"c1", "queued", ""}, []string{"c-län", "offered", "ada"}))
}

// One long id must neither be cut, nor touch the next column, nor move the columns of all other rows out of the terminal.
func TestALongIDMovesOnlyItsOwnRow(t *testing.T) {
	long := strings.Repeat("0123456789", 13)
	lines := strings.Split(tableOf(t, []string{"ID", "STATE"}, []string{"c1", "queued"}, []string{long, "offered"}), "\n")
	require.Equal(t, []string{"ID  STATE", "c1  queued", long + "  offered", ""}, lines)
}

func TestACellStaysInItsLine(t *testing.T) {
	require.Equal(t, "A    B\na b  \uFFFD[31mred\uFFFD\n", tableOf(t, []string{"A", "B"}, []string{"a\tb", "\x1b[31mred\u0085"}))
	require.Equal(t, "a b  c\n", tableOf(t, []string{"a\nb", "c"}))
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestATableReturnsTheErrorOfItsWriter(t *testing.T) {
	require.EqualError(t, draw.Table(full{}, [][]string{{"a"}}), "full")
}
