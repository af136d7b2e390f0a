// Package compose_test checks docker-compose.yml and Dockerfile without an engine: compose-go, which `docker compose`
// itself is made of, reads the file, and the tests hold what it says against the rest of the repository and against the
// sources of the Temporal server and UI that it pins.
//
// It lives in the module of the tools so that compose-go stays out of the product's dependencies. Run it with -count=1:
// Go remembers a result by the files of this module, and these tests read files of the whole repository.
package compose_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// root is the top of the repository, seen from this package.
const root = "../.."

// password is what the tests give as POSTGRES_PASSWORD: a text that can be nowhere by chance.
const password = "canary-7d1f0c"

// project reads docker-compose.yml as `docker compose` would, with nothing set but what must be, and without any .env.
func project(t *testing.T) *types.Project {
	t.Helper()
	directory, err := filepath.Abs(root)
	require.NoError(t, err)
	options, err := cli.NewProjectOptions([]string{filepath.Join(directory, "docker-compose.yml")},
		cli.WithWorkingDirectory(directory),
		cli.WithEnv([]string{"POSTGRES_PASSWORD=" + password}),
	)
	require.NoError(t, err)
	loaded, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	return loaded
}

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(content)
}

// required returns the version of a dependency of the embedded server, as its go.mod says.
func required(t *testing.T, path string) string {
	t.Helper()
	var module struct {
		Require []struct{ Path, Version string }
	}
	command := exec.Command("go", "mod", "edit", "-json")
	command.Dir = filepath.Join(root, "devserver")
	output, err := command.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(output, &module))
	for _, dependency := range module.Require {
		if dependency.Path == path {
			return dependency.Version
		}
	}
	t.Fatalf("devserver/go.mod does not require %s", path)
	return ""
}

// source returns a file out of a dependency of the embedded server, in the version that its go.mod says.
func source(t *testing.T, path, name string) string {
	t.Helper()
	var downloaded struct{ Dir, Error string }
	command := exec.Command("go", "mod", "download", "-json", path+"@"+required(t, path))
	command.Dir = filepath.Join(root, "devserver")
	output, err := command.Output()
	require.NoError(t, err, "%s", output)
	require.NoError(t, json.Unmarshal(output, &downloaded))
	content, err := os.ReadFile(filepath.Join(downloaded.Dir, name))
	require.NoError(t, err)
	return string(content)
}

// isJob tells a service that runs once from one that runs until it is stopped.
func isJob(service types.ServiceConfig) bool {
	return strings.HasPrefix(service.Restart, types.RestartPolicyOnFailure)
}
