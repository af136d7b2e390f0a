package documents_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The clients over HTTP and over the Go SDK play their phone call, with the commands of examples/README.md, until the
// interaction is completed.
func TestTheExampleClientsPlayAPhoneCall(t *testing.T) {
	t.Run("gohttp", func(t *testing.T) {
		require.Contains(t, in(t, "../..", "go", "run", "./examples/gohttp"), "completed after")
	})
	t.Run("goclient", func(t *testing.T) {
		require.Contains(t, in(t, "../..", "go", "run", "./examples/goclient"), "completed")
	})
	t.Run("httpclient", func(t *testing.T) {
		folder := installed(t, "httpclient")
		require.Contains(t, in(t, folder, "npm", "start"), "completed after")
	})
}

// The types of the TypeScript client are those of the schemas, the client plays its phone call with them, and the compiler finds
// a payload that is wrong. SEGUE_WRITE_DOCS=1 writes the types instead.
func TestTheTypesAreThoseOfTheSchemas(t *testing.T) {
	const checkedIn = "../../examples/typescript/segue.d.ts"
	folder := installed(t, "typescript")
	in(t, folder, "npm", "run", "generate")
	generated, err := os.ReadFile(filepath.Join(folder, "segue.d.ts"))
	require.NoError(t, err)
	if os.Getenv("SEGUE_WRITE_DOCS") == "1" {
		require.NoError(t, os.WriteFile(checkedIn, generated, 0o644))
	}
	types, err := os.ReadFile(checkedIn)
	require.NoError(t, err)
	require.Equal(t, string(types), string(generated), "generate them again: SEGUE_WRITE_DOCS=1 go test -run %s ./e2e/documents", t.Name())

	printed := in(t, folder, "npm", "start")
	require.Contains(t, printed, "connect was refused (IllegalCommand)")
	require.Contains(t, printed, ": handled, SOLD")

	client, err := os.ReadFile(filepath.Join(folder, "call.ts"))
	require.NoError(t, err)
	mistakes := [][2]string{
		{"queue: 'sales'", "queeue: 'sales'"}, {"agent: 'ada'", "agent: true"}, {"disposition: 'SOLD'", "disposition: true"},
		{"channel: 'inbound'", "channel: 'phone'"}, {"answer.state", "answer.status"}, {"'accept'", "'except'"},
	}
	var files []string
	for i, mistake := range mistakes {
		require.Contains(t, string(client), mistake[0])
		files = append(files, fmt.Sprintf("wrong-%d.ts", i))
		wrong := strings.Replace(string(client), mistake[0], mistake[1], 1)
		require.NoError(t, os.WriteFile(filepath.Join(folder, files[i]), []byte(wrong), 0o600))
	}
	project, err := json.Marshal(map[string]any{"extends": "./tsconfig.json", "files": files})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "wrong.json"), project, 0o600))
	check := exec.Command("npx", "tsc", "--noEmit", "-p", "wrong.json")
	check.Dir = folder
	out, err := check.Output()
	require.Error(t, err)
	for i, file := range files {
		require.Contains(t, string(out), file+"(", "the compiler accepts %s", mistakes[i][1])
	}
}

// The programs in pages run as they are written, against the dev.
func TestTheProgramsInPagesRun(t *testing.T) {
	folder := installed(t, "typescript")
	program := func(page, name, address, here string) {
		for _, b := range blocksOf(t, page) {
			if b.file == name {
				require.Contains(t, b.text, address)
				text := strings.ReplaceAll(b.text, address, here)
				require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
			}
		}
	}
	program("../../docs/contract.md", "contract.mjs", "127.0.0.1:7233", running.TemporalAddress)
	printed := in(t, folder, "node", "contract.mjs")
	require.Contains(t, printed, "offered [")
	require.Contains(t, printed, "\nabandoned\n")

	program("../../docs/desktop.md", "his.mjs", "127.0.0.1:8080", strings.TrimPrefix(running.Gateway, "http://"))
	printed = in(t, folder, "node", "--experimental-websocket", "his.mjs")
	require.Contains(t, printed, "interaction.initialized")
	require.Contains(t, printed, "session.request.logout success")
}

// in runs a command in a folder against the dev, and returns what it prints to stdout.
func in(t *testing.T, folder, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Env = folder, running.environment()
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	require.NoError(t, err, "%s\n%s", out, errs.String())
	return string(out)
}

// installed returns a copy of a Node example with the packages of its lock file.
func installed(t *testing.T, example string) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			unavailable(t)("%v (Debian: apt-get install nodejs npm)", err)
		}
	}
	folder := t.TempDir()
	for _, pattern := range []string{"*.json", "*.ts", "*.mjs", "*.mts"} {
		files, err := filepath.Glob(filepath.Join("../../examples", example, pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(folder, filepath.Base(file)), text, 0o600))
		}
	}
	require.FileExists(t, filepath.Join(folder, "package-lock.json"))
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = folder
	if output, err := install.CombinedOutput(); err != nil {
		unavailable(t)("npm ci: %v\n%s", err, output)
	}
	return folder
}
