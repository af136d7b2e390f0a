package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A client whose types are generated from the OpenAPI document of the demo's gateway plays the day through /v1: the compiler
// accepts the client, and the verdict is that of the demo's own feed.
func TestAGeneratedClientPlaysTheDay(t *testing.T) {
	t.Parallel()
	folder := installed(t, "../examples/httpclient")
	playsTheDay(t, fmt.Sprintf("cd '%s' && npm run --silent generate </dev/null >&2 && npm run --silent check </dev/null >&2 && node play.mjs", folder))
	require.FileExists(t, filepath.Join(folder, "v1.d.ts"))
}

// The feed of /v1 plays the day with the same verdict, by the command in the help.
func TestTheFeedOfTheGatewayPlaysTheDay(t *testing.T) {
	t.Parallel()
	need(t, "curl", "curl")
	playsTheDay(t, `curl -sN --data-binary @- "$SEGUE_GATEWAY/v1/feed?contact_center=$SEGUE_CONTACT_CENTER"`)
}

// playsTheDay runs the demo with a client, and requires the verdict of the demo's own feed.
func playsTheDay(t *testing.T, client string) {
	t.Helper()
	result := segue(t, "demo", "--exit", "--json", "--timeout", "5m", "--temporal-port", "0", "--ui-port", "0", "--http-port", "0", "--client", client)
	var day verdict
	require.NoError(t, json.Unmarshal([]byte(result.out), &day), result.errs)
	require.Empty(t, day.Faults)
	require.Equal(t, 0, result.code, result.errs)
	require.Equal(t, verdict{
		OK: true, Interactions: 284, Commands: 2374, Rejected: 96, Repeated: 24,
		Deliveries: deliveryCounts{Expected: 1582, Delivered: 1577, Refused: 5, Retried: day.Deliveries.Retried, Parked: 5}, Faults: []string{},
	}, day)
}

// verdict is what `segue demo --json` prints, without its lists.
type verdict struct {
	OK                                         bool
	Interactions, Commands, Rejected, Repeated int
	Deliveries                                 deliveryCounts
	Faults                                     []string
}

type deliveryCounts struct{ Expected, Delivered, Refused, Retried, Parked, Duplicates int }

// need skips a test whose tool is not installed, but fails it in CI.
func need(t *testing.T, tool, debian string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		unavailable(t)("%v (Debian: apt-get install %s)", err, debian)
	}
}

// unavailable skips a test that this machine cannot run; in CI it fails the test.
func unavailable(t *testing.T) func(format string, args ...any) {
	if os.Getenv("CI") == "true" {
		return t.Fatalf
	}
	return t.Skipf
}

// installed returns a copy of a Node example with the packages of its lock file.
func installed(t *testing.T, example string) string {
	t.Helper()
	need(t, "node", "nodejs")
	need(t, "npm", "npm")
	folder := t.TempDir()
	require.FileExists(t, filepath.Join(example, "package-lock.json"))
	for _, pattern := range []string{"*.json", "*.mjs", "*.mts"} {
		files, err := filepath.Glob(filepath.Join(example, pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(folder, filepath.Base(file)), text, 0o600))
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = folder
	if output, err := install.CombinedOutput(); err != nil {
		unavailable(t)("npm ci: %v\n%s", err, output)
	}
	return folder
}

// A client that does not do its work is named, with what it did wrong.
func TestAClientThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ client, want string }{
		"not there":  {"no-such-client", `the client "no-such-client": exit status 127`},
		"nothing":    {"cat >/dev/null", "stdout ended without a summary"},
		"no results": {`cat >/dev/null; echo '{"summary":{}}'`, "2374 of 2374 lines have no result; the first is line 1"},
		"no start": {
			`awk -F '"' '{ printf "{\"line\":%d,\"interaction\":\"%s\",\"status\":\"%s\"}\n", NR, $4, $8 == "start" ? "rejected" : "accepted" } END { print "{\"summary\":{}}" }'`,
			"the client did not start 284 of 284 interactions; the first is demo/out-0081, refused in line 1: no reason given",
		},
		"too slow": {"cat >/dev/null; exec sleep 60", "did not finish within --timeout 2s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			within := "2m"
			if name == "too slow" {
				within = "2s"
			}
			result := segue(t, "demo", "--exit", "--timeout", within, "--temporal-port", "0", "--ui-port", "0", "--http-port", "0", "--client", c.client)
			require.Equal(t, 1, result.code)
			require.Contains(t, result.errs, c.want)
		})
	}
	result := segue(t, "demo", "--client", " ")
	require.Equal(t, 2, result.code)
}
