package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func fileOf(t *testing.T, name, content string) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

func TestCheckShowsASampleRequestOfEachCall(t *testing.T) {
	result := segue(t, "check")
	require.Equal(t, 0, result.code, result.errs)
	require.Contains(t, result.out, "call crm")
	require.Contains(t, result.out, "POST http://127.0.0.1:9100/calls/sample-1?seq=3")

	result = segue(t, "check", "--json")
	require.Equal(t, 0, result.code)
	var report struct {
		OK    bool
		Calls []struct {
			Name    string
			Samples []struct{ When string }
		}
		Errors []any
	}
	require.NoError(t, json.Unmarshal([]byte(result.out), &report))
	require.True(t, report.OK)
	require.NotNil(t, report.Errors)
	require.NotEmpty(t, report.Calls)
	require.NotEmpty(t, report.Calls[0].Samples)
}

func TestCheckNamesEachMistake(t *testing.T) {
	file := fileOf(t, "bad.yaml", `calls:
  - name: crm
    method: SEND
    url: http://127.0.0.1:1/
    colour: red
triggers:
  - {when: interaction_starts, call: crn}
`)
	result := segue(t, "check", file)
	require.Equal(t, 1, result.code)
	require.Contains(t, result.out, file+":3: ")
	require.Contains(t, result.out, file+":5: calls[0].colour")
	require.Contains(t, result.out, file+":7: ")
	require.Empty(t, result.errs)

	result = segue(t, "check", "--config", file, "--json")
	require.Equal(t, 1, result.code)
	var report struct {
		OK     bool
		Errors []struct {
			Line            int
			Problem, Remedy string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(result.out), &report))
	require.False(t, report.OK)
	require.Len(t, report.Errors, 3)
	require.Equal(t, 3, report.Errors[0].Line)
	require.NotEmpty(t, report.Errors[0].Remedy)
}

func TestCheckPrintsTheSchema(t *testing.T) {
	written, err := os.ReadFile("../config/schema.json")
	require.NoError(t, err)
	for _, args := range [][]string{{"check", "--schema"}, {"check", "--schema", "--json"}} {
		result := segue(t, args...)
		require.Equal(t, 0, result.code, result.errs)
		require.Equal(t, string(written), result.out)
	}
	require.Equal(t, 2, segue(t, "check", "x.yaml", "--schema").code)
}

func TestReplayNamesHistoriesThatFail(t *testing.T) {
	nonsense := fileOf(t, "nonsense.json", "{}")
	result := segue(t, "replay", nonsense, "missing.json", "--json")
	require.Equal(t, 1, result.code)
	var report struct {
		Replayed int
		Failed   []struct{ History, Error string }
	}
	require.NoError(t, json.Unmarshal([]byte(result.out), &report))
	require.Equal(t, 2, report.Replayed)
	require.Len(t, report.Failed, 2)
	require.Equal(t, nonsense, report.Failed[0].History)
	require.Contains(t, report.Failed[0].Error, "no events")
}
