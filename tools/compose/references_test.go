package compose_test

import (
	"context"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// programs returns the programs that the Dockerfile builds: the path in the image to the package.
func programs(t *testing.T) map[string]string {
	t.Helper()
	dockerfile := read(t, "Dockerfile")
	require.Regexp(t, `(?m)^COPY --from=build /out/ /usr/local/bin/$`, dockerfile)
	built := map[string]string{}
	for _, match := range regexp.MustCompile(`go build .*-o /out/(\S+) (\./\S+)`).FindAllStringSubmatch(dockerfile, -1) {
		built["/usr/local/bin/"+match[1]] = match[2]
	}
	return built
}

func TestDockerfile(t *testing.T) {
	dockerfile := read(t, "Dockerfile")
	assert.Equal(t, map[string]string{"/usr/local/bin/segue": "./starter", "/usr/local/bin/segue-worker": "./worker"}, programs(t))
	assert.Regexp(t, `(?m)^USER [1-9]\d*:[1-9]\d*$`, dockerfile, "a program that calls the internet must not run as root")

	for _, image := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(dockerfile, -1) {
		if image[1] != "scratch" {
			assertPinned(t, image[1])
		}
	}
	builder := regexp.MustCompile(`(?m)^FROM golang:(\d+\.\d+\.\d+)\S* AS build$`).FindStringSubmatch(dockerfile)
	require.NotNil(t, builder)
	wanted := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "go.mod"))
	require.NotNil(t, wanted)
	assert.GreaterOrEqual(t, version.Compare("go"+builder[1], "go"+wanted[1]), 0, "go.mod wants Go %s", wanted[1])
}

// The programs that compose starts are built and run, which finds commands, flags and variables that they do not
// know.
func TestCommands(t *testing.T) {
	built := programs(t)
	for name, service := range project(t).Services {
		if service.Build == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			require.NotEmpty(t, service.Command)
			source, found := built[service.Command[0]]
			require.True(t, found, "the image has no %s", service.Command[0])
			program := filepath.Join(t.TempDir(), "program")
			output, err := run(t, nil, "go", "build", "-o", program, source)
			require.NoError(t, err, "%s", output)

			// The path of a mounted file in the container is that of a file in the repository.
			arguments := slices.Clone(service.Command[1:])
			for _, volume := range service.Volumes {
				if i := slices.Index(arguments, volume.Target); i >= 0 {
					arguments[i] = volume.Source
				}
			}

			// --help fails for a command or a flag that does not exist.
			output, err = run(t, nil, program, append(slices.Clone(arguments), "--help")...)
			assert.NoError(t, err, "%s", output)

			// Segue ignores a variable that it does not know, and names one that it knows and cannot parse in an error. So the
			// program gets nonsense in all of them.
			var variables, nonsense []string
			for variable := range service.Environment {
				if strings.HasPrefix(variable, "SEGUE_") {
					variables = append(variables, variable)
					nonsense = append(nonsense, variable+"=!")
				}
			}
			require.NotEmpty(t, variables)
			output, err = run(t, nonsense, program, arguments...)
			require.Error(t, err)
			for _, variable := range variables {
				assert.Contains(t, output, variable)
			}
		})
	}
}

// run runs a command in the root of the repository, for some minutes at most: a program that finds no fault in its
// settings would start to work.
func run(t *testing.T, environment []string, name string, arguments ...string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = root
	command.Env = append(os.Environ(), environment...)
	said, err := command.CombinedOutput()
	return string(said), err
}

// A configuration that is mounted must be the one that the command names.
func TestTheWorkerReadsTheMountedConfiguration(t *testing.T) {
	worker := project(t).Services["worker"]
	require.Len(t, worker.Volumes, 1)
	assert.Equal(t, types.ShellCommand{"/usr/local/bin/segue-worker", "--config", worker.Volumes[0].Target}, worker.Command)
	assert.Contains(t, read(t, "Dockerfile"), worker.Volumes[0].Target, "the image's own command names another file")
}

// An image ignores a variable that it does not know, so each is looked up in the sources of the image.
func TestVariablesOfTheImages(t *testing.T) {
	services := project(t).Services
	configuration := source(t, "go.temporal.io/server", "common/config/config_template_embedded.yaml") +
		source(t, "go.temporal.io/server", "common/config/loader.go")
	schema := source(t, "go.temporal.io/server", "tools/sql/main.go") + read(t, "deploy/schema.sh")
	for name, known := range map[string]string{
		"temporal":  configuration,
		"schema":    schema,
		"namespace": read(t, "deploy/namespace.sh"),
		"ui":        source(t, "github.com/temporalio/ui-server/v2", "config/docker.yaml"),
	} {
		for variable := range services[name].Environment {
			if variable == "GOMEMLIMIT" {
				continue // read by Go itself
			}
			assert.Regexp(t, `\b`+variable+`\b`, known, "%s does not know %s", name, variable)
		}
	}
}

func TestSchemaIsThatOfTheServer(t *testing.T) {
	names := regexp.MustCompile(`(?m)^prepare \S+ (\S+)$`).FindAllStringSubmatch(read(t, "deploy/schema.sh"), -1)
	require.Len(t, names, 2)
	for _, name := range names {
		assert.NotEmpty(t, source(t, "go.temporal.io/server", filepath.Join("schema", name[1], "schema.sql")))
	}
}

// The server logs and ignores a key that it does not know.
func TestDynamicConfiguration(t *testing.T) {
	known := source(t, "go.temporal.io/server", "common/dynamicconfig/constants.go")
	var settings map[string][]struct {
		Value       any
		Constraints map[string]any
	}
	decoder := yaml.NewDecoder(strings.NewReader(read(t, "deploy/temporal/dynamicconfig.yaml")))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&settings))
	require.NotEmpty(t, settings)
	for key, values := range settings {
		assert.Contains(t, known, `"`+key+`"`)
		require.NotEmpty(t, values)
		for _, value := range values {
			assert.NotNil(t, value.Value, key)
		}
	}
	temporal := project(t).Services["temporal"]
	require.Len(t, temporal.Volumes, 1)
	require.NotNil(t, temporal.Environment["DYNAMIC_CONFIG_FILE_PATH"])
	assert.Equal(t, filepath.Join(temporal.Volumes[0].Target, "dynamicconfig.yaml"), *temporal.Environment["DYNAMIC_CONFIG_FILE_PATH"])
}
