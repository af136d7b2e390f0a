package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var commands = []string{"dev", "demo", "listen", "serve", "setup", "start", "signal", "feed", "show", "list", "commands", "deliveries", "redeliver", "discard", "check", "replay", "export", "audit", "deploy", "version"}

func TestEveryCommandHasHelpWithExamples(t *testing.T) {
	root := segue(t, "--help")
	require.Equal(t, 0, root.code)
	for _, command := range commands {
		require.Contains(t, root.out, "\n  "+command+" ")
		t.Run(command, func(t *testing.T) {
			help := segue(t, command, "--help")
			require.Equal(t, 0, help.code)
			require.Empty(t, help.errs)
			require.Contains(t, help.out, "Usage:\n  segue "+command)
			require.Contains(t, help.out, "Examples:\n  ")
			require.Contains(t, help.out, "\nExit codes")
			require.Contains(t, help.out, "--json")
			require.Contains(t, help.out, "--address")
		})
	}
	require.Contains(t, root.out, "Exit codes:")
	require.Contains(t, segue(t, "discard", "--help").out, "(default: no limit)", "the limits of a call do not slow discards")
}

func TestWithoutACommandHelpIsPrinted(t *testing.T) {
	require.Equal(t, 0, segue(t).code)
	require.Contains(t, segue(t).out, "Available Commands:")
}

func TestAnInvalidCommandLineHasExitCode2AndOneLineOfError(t *testing.T) {
	day := filepath.Join(t.TempDir(), "day.ndjson")
	require.NoError(t, os.WriteFile(day, nil, 0o644))
	for says, args := range map[string][]string{
		`unknown command "sho"`:                     {"sho"},
		`did you mean show`:                         {"sho"},
		"unknown flag: --nope":                      {"list", "--nope"},
		"takes one interaction, not 0":              {"show"},
		"takes one interaction, not 2":              {"show", "a", "b"},
		`interaction id "a b"`:                      {"show", "a b"},
		`contact center ""`:                         {"show", "/a"},
		"have 243 bytes together; keep both":        {"show", strings.Repeat("c", 128) + "/" + strings.Repeat("i", 115)},
		"takes one start object":                    {"start"},
		"no such file":                              {"start", "nowhere.json"},
		`"{oops" is not JSON`:                       {"start", "{oops"},
		"takes a command's name":                    {"signal", "hold"},
		"give an array of objects":                  {"signal", "commands", "c1", `{"command":"hold"}`},
		"give each command its event_id":            {"signal", "commands", "c1", `[{"command":"hold"}]`, "--event-id", "e1"},
		"takes one file":                            {"feed"},
		"nowhere.ndjson":                            {"feed", "nowhere.ndjson"},
		`--via "pigeon"`:                            {"feed", day, "--via", "pigeon"},
		"--parallel 0":                              {"feed", day, "--parallel", "0"},
		"--limit 0":                                 {"list", "--limit", "0"},
		`--queue "a\"b": Temporal's list language`:  {"list", "--queue", `a"b`},
		`--agent "a\\b": Temporal's list language`:  {"list", "--agent", `a\b`},
		`--workbin "'a": Temporal's list language`:  {"list", "--workbin", "'a"},
		`--class "late": use one of dns,`:           {"deliveries", "--class", "late"},
		`--since "noon"`:                            {"deliveries", "--since", "noon"},
		"takes at most one interaction, not 2":      {"deliveries", "a", "b"},
		"a discarded delivery is never sent":        {"discard", "--call", "crm"},
		"--rate -1":                                 {"redeliver", "--rate", "-1"},
		`interaction id "a b": use`:                 {"audit", "a b"},
		"--ramp 200":                                {"deploy", "2.0", "--ramp", "200"},
		"give either a build id or --unversioned":   {"deploy", "2.0", "--unversioned"},
		"--ramp, --wait and --move need a build id": {"deploy", "--move", "1.0"},
		"--dry-run and --undo need --move":          {"deploy", "2.0", "--undo"},
		"--move 2.0: is the target version":         {"deploy", "2.0", "--move", "2.0"},
		"--wait -1s":                                {"deploy", "2.0", "--wait=-1s"},
		"--patience -1s":                            {"feed", "-", "--patience", "-1s"},
		`"a.b" is not the name of a deployment`:     {"deploy", "--deployment", "a.b"},
		"or --query to read them":                   {"replay"},
		"give either history files":                 {"replay", "x.json", "--query", "WorkflowType='Interaction'"},
		"--out is missing":                          {"export", "c1"},
		"--retention 59m0s":                         {"setup", "--retention", "59m"},
		"--temporal-port 70000":                     {"dev", "--temporal-port", "70000"},
		"--http-port -1":                            {"demo", "--http-port", "-1"},
		"gateway.auth has no credential":            {"serve", "--listen", "0.0.0.0:0"},
		"--listen -1: use 1 to 65535":               {"dev", "--listen", "-1"},
		"--port 70000: use 1 to 65535":              {"listen", "--port", "70000"},
		"--status 100: use 200 to 599":              {"listen", "--status", "100"},
		"--delay 11m0s: use 0s to 10m0s":            {"listen", "--delay", "11m"},
		"--db is for the embedded":                  {"dev", "--db", "x", "--address", "127.0.0.1:1"},
		"--ui-port is for the embedded":             {"demo", "--ui-port", "0", "--address", "127.0.0.1:1"},
		"the demo generates its own":                {"demo", "--config", "x.yaml"},
		"--timeout 0s":                              {"demo", "--timeout", "0s"},
		`--contact-center: contact center "a/b"`:    {"demo", "--contact-center", "a/b"},
		"takes no arguments, not 1":                 {"dev", "now"},
		"not an address":                            {"list", "--address", "here"},
		"missing.yaml":                              {"dev", "--config", "missing.yaml"},
		`--state "ringing" does not exist; did you mean dialing? use started, queued`: {"list", "--state", "ringing"},
		`--state "queud" does not exist; did you mean queued?`:                        {"list", "--state", "queud"},
		`--channel "voice" does not exist; use inbound, outbound`:                     {"list", "--channel", "voice"},
		`--outcome "lost" does not exist; use handled`:                                {"list", "--outcome", "lost"},
	} {
		t.Run(says, func(t *testing.T) {
			result := segue(t, args...)
			require.Equal(t, 2, result.code, result.errs)
			require.Contains(t, result.errs, says)
			require.Empty(t, result.out)
			require.True(t, strings.HasPrefix(result.errs, "segue: "), result.errs)
		})
	}
}

// No process listens on port 1 of this machine.
func TestAnUnreachableTemporalHasExitCode5(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"show", "c1"}, {"list"}, {"deliveries"}, {"redeliver"}, {"setup"}, {"start", `{"id":"c1","channel":"chat"}`},
		{"signal", "hold", "c1"}, {"replay", "--query", "x"}, {"export", "c1", "--out", "-"}, {"feed", "-"},
		{"audit"}, {"deploy"},
		{"dev", "--http-port", "0"}, {"demo", "--exit", "--http-port", "0"}, {"serve", "--listen", "127.0.0.1:0"},
	} {
		t.Run(args[0], func(t *testing.T) {
			result := segue(t, append(args, "--address", "127.0.0.1:1")...)
			require.Equal(t, 5, result.code, result.errs)
			require.Contains(t, result.errs, "127.0.0.1:1")
			require.Contains(t, result.errs, "segue dev", "the remedy")
		})
	}
}

// Malformed input is refused without a Temporal.
func TestMalformedInputHasExitCode4(t *testing.T) {
	for says, args := range map[string][]string{
		"channel":             {"start", `{"id":"c1"}`},
		"id: \"c 1\"":         {"start", `{"id":"c 1","channel":"chat"}`},
		"did you mean accept": {"signal", "accpt", "c1"},
		"agent: true":         {"signal", "offer", "c1", `{"agent":true}`},
	} {
		t.Run(says, func(t *testing.T) {
			result := segue(t, args...)
			require.Equal(t, 4, result.code, result.errs)
			require.Contains(t, result.errs, says)
		})
	}
}

func TestACommandIsDescribed(t *testing.T) {
	described := segue(t, "commands", "offer", "hold")
	require.Equal(t, 0, described.code, described.errs)
	for _, text := range []string{
		"may be legal in:\n  started, queued, offered, in_workbin, engaging\n",
		`    agent           text, or {"id": …, "name": …}`,
		`segue signal offer ixn-1 '{"agent":{"id":"ada","name":"Ada"},"timeout":"20s"}' --update`,
		"segue signal hold ixn-1 --update",
	} {
		require.Contains(t, described.out, text)
	}
	require.Contains(t, segue(t, "commands", "start").out, "    channel         inbound | outbound | cloud_routing | track_number | chat | email | sms | web")
	require.Equal(t, 2, segue(t, "commands", "ring").code)
}

func TestTheVersionNamesGoAndTheSDK(t *testing.T) {
	require.Regexp(t, `^segue \S+.*\ngo1\.\d+\S*, Temporal SDK v1\.\d+\.\d+\n$`, segue(t, "version").out)
}
