package scxml_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"segue/connect"
	"segue/embedded"
)

var (
	temporal *embedded.Server
	// binaries has the programs segue and worker; engine has the SCXML engine, or noEngine says why not.
	binaries, engine string
	noEngine         error
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "scxml:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	directory, err := os.MkdirTemp("", "segue-scxml-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	engine = filepath.Join(directory, "engine")
	if noEngine = install(engine); noEngine != nil {
		return m.Run(), nil
	}
	binaries = directory
	for name, source := range map[string]string{"segue": "segue/starter", "worker": "segue/worker"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(binaries, name), source).CombinedOutput(); err != nil {
			return 1, fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	temporal, err = embedded.Start(context.Background(), embedded.Options{
		UIPort: embedded.NoUI, SearchAttributes: connect.SearchAttributeTypes(),
		Progress: func(text string) { fmt.Fprintln(os.Stderr, text) },
	})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, temporal.Stop()) }()
	return m.Run(), nil
}

// install installs the engine with the packages of its lock file.
func install(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"engine.mjs", "package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return err
		}
	}
	command := exec.Command("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci (Debian: apt-get install nodejs npm): %w\n%s", err, output)
	}
	return nil
}

// needsEngine skips a test on a machine without npm, but fails it in CI.
func needsEngine(t *testing.T) {
	t.Helper()
	switch {
	case noEngine == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(noEngine)
	default:
		t.Skip(noEngine)
	}
}
