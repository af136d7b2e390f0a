package documents_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pages are those whose commands are run, in this order: a page may use what the README has started.
func pages(t *testing.T) []string {
	t.Helper()
	found := []string{"../../README.md"}
	for _, pattern := range []string{"../../docs/*.md", "../../examples/README.md", "../../examples/*/README.md"} {
		more, err := filepath.Glob(pattern)
		require.NoError(t, err)
		found = append(found, more...)
	}
	return found
}

func TestTheCommandsOfEveryPageWork(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			unavailable(t)("%v", err)
		}
	}
	counts := map[string]int{}
	for _, page := range pages(t) {
		t.Run(strings.TrimPrefix(page, "../../"), func(t *testing.T) {
			s := newShell(t, &running)
			for _, b := range blocksOf(t, page) {
				if b.file != "" {
					require.NoError(t, os.WriteFile(filepath.Join(s.folder, b.file), []byte(s.here(b.text)), 0o600))
					continue
				}
				for _, c := range b.commands {
					counts[b.mode]++
					if err := s.run(b.mode, c); err != nil {
						t.Errorf("%s:%d: %s\n%v", page, c.line, c.text, err)
					}
				}
			}
		})
	}
	requireArrived(t, "POST /calls/ixn-1?seq=2  200  interaction_starts", "POST /calls/ixn-1?seq=11  200  segment_change")
	t.Logf("%d commands run as written, %d until stopped, %d checked for names and flags, %d not run",
		counts[asWritten], counts[untilStopped], counts[flagsOnly], counts[never])
	require.Greater(t, counts[asWritten], 50)
	require.Greater(t, counts[asWritten], counts[flagsOnly]+counts[never])
}

// The README promises requests that arrive; TestTheCommandsOfEveryPageWork has sent the commands that cause them.
func requireArrived(t *testing.T, lines ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		shown, err := os.ReadFile(running.shown)
		assert.NoError(t, err)
		for _, line := range lines {
			assert.Contains(t, string(shown), line)
		}
	}, time.Minute, 100*time.Millisecond)
}

var assignment = regexp.MustCompile(`^(?:export )?[A-Za-z_]+=`)

func (s *shell) run(mode string, c command) error {
	if assignment.MatchString(c.text) && mode != never {
		s.assignments = append(s.assignments, s.here(c.text))
		return nil
	}
	switch mode {
	case untilStopped:
		if c.text == "segue listen" {
			c.text += " --port 0"
		}
		return s.untilStopped(c.text)
	case flagsOnly:
		return s.flags(c.text)
	case never:
		return nil
	}
	if strings.HasPrefix(c.text, "go build ") {
		return nil // TestMain has built segue, and put it on the PATH
	}
	var out, errs bytes.Buffer
	process := s.command(c.text)
	process.Stdout, process.Stderr = &out, &errs
	err := process.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	printed := out.String() + errs.String()
	if code := process.ProcessState.ExitCode(); code != c.code {
		return fmt.Errorf("exit code %d instead of %d\n%s", code, c.code, printed)
	}
	for _, status := range statusLine.FindAllStringSubmatch(errs.String(), -1) {
		if !strings.HasPrefix(status[1], c.status) {
			return fmt.Errorf("status %s instead of %s\n%s", status[1], c.status, printed)
		}
	}
	if !strings.Contains(printed, c.prints) {
		return fmt.Errorf("the output lacks %s\n%s", c.prints, printed)
	}
	return nil
}

var statusLine = regexp.MustCompile(`(?m)^status: (\d{3})$`)

// flags checks the command and the flags of each use of segue in a line, by asking for help with the rest of the line.
func (s *shell) flags(text string) error {
	for _, part := range regexp.MustCompile(`\s[|>]\s*`).Split(text, -1) {
		if !strings.HasPrefix(part, "segue ") {
			continue
		}
		out, err := s.command(part + " --help").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		if name := strings.Fields(part)[1]; !strings.Contains(string(out), "\n  segue "+name) {
			return fmt.Errorf("there is no command %s", name)
		}
	}
	return nil
}

// span is code in a sentence that is a command of segue.
var span = regexp.MustCompile("`segue ([a-z]+)([^`]*)`")

// A sentence that names a command with flags names those that exist.
func TestCommandsInSentencesExist(t *testing.T) {
	help := map[string]string{}
	found := 0
	for _, page := range append(pages(t), "../../CONTRIBUTING.md", "../../SECURITY.md") {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, use := range span.FindAllStringSubmatch(string(content), -1) {
			name, rest := use[1], use[2]
			if help[name] == "" {
				out, err := exec.Command(segueBin, name, "--help").CombinedOutput()
				require.NoError(t, err, "%s: %s", page, use[0])
				require.Contains(t, string(out), "\n  segue "+name, "%s: %s", page, use[0])
				help[name] = string(out)
			}
			for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(rest, -1) {
				require.Regexp(t, regexp.QuoteMeta(flag)+`\b`, help[name], "%s: %s", page, use[0])
			}
			found++
		}
	}
	require.Greater(t, found, 50)
}

// unavailable skips a test that this machine cannot run; in CI it fails the test.
func unavailable(t *testing.T) func(format string, args ...any) {
	if os.Getenv("CI") == "true" {
		return t.Fatalf
	}
	return t.Skipf
}
