package export_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/metrics"
	"segue/metrics/metricstest"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + path)
	require.NoError(t, err)
	return string(text)
}

// row matches a metric's row of the table in docs/metrics.md.
var row = regexp.MustCompile("(?m)^\\| `(segue_[a-z_]+)` \\|(.*)\\|$")

func TestTheTableIsTheCatalogue(t *testing.T) {
	var documented, exported [][]string
	for _, m := range row.FindAllStringSubmatch(read(t, "docs/metrics.md"), -1) {
		cells := strings.Split(m[2], "|")
		require.Len(t, cells, 5, m[1])
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		require.NotEmpty(t, cells[4], "%s: the table says what to watch for", m[1])
		documented = append(documented, append([]string{m[1]}, cells[:4]...))
	}
	for _, e := range metricstest.New(t).Catalogue() {
		exported = append(exported, []string{e.Name, string(e.Kind), strings.Join(e.Labels, ", "), unit(e), e.Help})
	}
	require.Equal(t, exported, documented)
}

func unit(e metrics.Entry) string {
	switch e.Unit {
	case "s":
		return "seconds"
	case "":
		return "–"
	}
	return strings.Trim(e.Unit, "{}")
}

var name = regexp.MustCompile(`\b(segue|temporal)_[a-z_]+\b`)

// metricsIn returns the metrics that a text names, without the suffixes of histograms.
func metricsIn(text string) []string {
	names := name.FindAllString(text, -1)
	for i, n := range names {
		names[i] = regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(n, "")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// known returns the metrics that may be named: those of the catalogue, and those of
// Temporal in the documentation, which another test looks for in a real process.
func known(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, e := range metricstest.New(t).Catalogue() {
		names = append(names, e.Name)
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(temporal_[a-z_]+)` \\|").FindAllStringSubmatch(read(t, "docs/metrics.md"), -1) {
		names = append(names, m[1])
	}
	return names
}

func TestDocumentsNameMetricsThatExist(t *testing.T) {
	require.Subset(t, known(t), metricsIn(read(t, "docs/metrics.md")))
}

func TestTheDashboardShowsWhatExists(t *testing.T) {
	var board struct {
		Title, UID string
		Templating struct {
			List []struct {
				Name  string
				Query any
			}
		}
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ RefID, Expr string }
		}
	}
	text := read(t, "deploy/grafana/segue.json")
	require.NoError(t, json.Unmarshal([]byte(text), &board))
	require.Equal(t, "Segue", board.Title)
	names := known(t)
	shown := map[string]bool{}
	ids := map[int]bool{}
	for i, p := range board.Panels {
		require.False(t, ids[p.ID], "panel id %d occurs twice", p.ID)
		ids[p.ID] = true
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		for _, other := range board.Panels[:i] {
			a, b := p.GridPos, other.GridPos
			require.False(t, a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H, "%s overlaps %s", p.Title, other.Title)
		}
		if p.Type == "row" {
			continue
		}
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			used := metricsIn(target.Expr)
			require.NotEmpty(t, used, p.Title)
			require.Subset(t, names, used, p.Title)
			require.Equal(t, strings.Count(target.Expr, "("), strings.Count(target.Expr, ")"), p.Title)
			for _, n := range used {
				shown[n] = true
			}
		}
	}
	require.Subset(t, names, metricsIn(text))
	for _, n := range names {
		switch n {
		case "segue_survey_timestamp_seconds", "segue_surveys_total", "segue_config_loaded_timestamp_seconds", "segue_config_restart_needed", "segue_receiver_inline":
			continue // for alerts, or read one by one
		}
		require.True(t, shown[n] || strings.HasPrefix(n, "temporal_"), "%s is on no panel of the dashboard", n)
	}
}
