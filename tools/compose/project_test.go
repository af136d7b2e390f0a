// Package compose_test checks docker-compose.yml and Dockerfile without a container engine: compose-go, the library
// of `docker compose`, reads the file, and the tests compare it with the rest of the repository and with the sources
// of the Temporal server and UI that it pins.
//
// It is in the module of the tools to keep compose-go out of the product's dependencies. Run it with -count=1: Go
// caches a result by the files of this module, and these tests read files of the whole repository.
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

// root is the root of the repository, relative to this package.
const root = "../.."

// password is the POSTGRES_PASSWORD of the tests: a text that cannot occur by chance.
const password = "canary-7d1f0c"

// project reads docker-compose.yml as `docker compose` does, with only the required variables set and without any
// .env.
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

// required returns the version of a dependency of the embedded server in its go.mod.
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

// source returns a file of a dependency of the embedded server, in the version of its go.mod.
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

// isJob reports whether a service runs once, instead of until it is stopped.
func isJob(service types.ServiceConfig) bool {
	return strings.HasPrefix(service.Restart, types.RestartPolicyOnFailure)
}
