package compose_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/distribution/reference"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServices(t *testing.T) {
	loaded := project(t)
	var jobs, services []string
	for name, service := range loaded.Services {
		if isJob(service) {
			jobs = append(jobs, name)
		} else {
			services = append(services, name)
		}
	}
	assert.ElementsMatch(t, []string{"schema", "namespace", "setup"}, jobs)
	assert.ElementsMatch(t, []string{"postgres", "temporal", "ui", "worker"}, services)
}

func TestEveryVariableIsInTheExample(t *testing.T) {
	example := read(t, "deploy/env.example")
	variables := regexp.MustCompile(`[^$]\$\{([A-Z_]+)`).FindAllStringSubmatch(read(t, "docker-compose.yml"), -1)
	require.NotEmpty(t, variables)
	for _, variable := range variables {
		assert.Regexp(t, `(?m)^#?`+variable[1]+`=`, example)
	}
	for _, line := range regexp.MustCompile(`(?m)^#?([A-Z_]+)=`).FindAllStringSubmatch(example, -1) {
		assert.Contains(t, read(t, "docker-compose.yml"), line[1], "deploy/env.example sets a variable that nothing reads")
	}
}

var exactTag = regexp.MustCompile(`^\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$`)

func assertPinned(t *testing.T, image string) {
	t.Helper()
	named, err := reference.ParseNormalizedNamed(image)
	require.NoError(t, err)
	if _, digested := named.(reference.Digested); digested {
		return
	}
	tagged, ok := named.(reference.Tagged)
	require.True(t, ok, "%s has no tag, so it is whatever is the latest", image)
	assert.Regexp(t, exactTag, tagged.Tag(), "%s is not one exact version", image)
}

func TestImagesArePinned(t *testing.T) {
	for name, service := range project(t).Services {
		t.Run(name, func(t *testing.T) {
			if service.Build != nil {
				assert.Equal(t, "segue:dev", service.Image, "one image for all that is built here")
				return
			}
			assertPinned(t, service.Image)
		})
	}
}

// TestVersionsAreThoseOfTheEmbeddedServer pins the versions that `segue dev` runs: developers test with them.
func TestVersionsAreThoseOfTheEmbeddedServer(t *testing.T) {
	services := project(t).Services
	server := strings.TrimPrefix(required(t, "go.temporal.io/server"), "v")
	assert.Equal(t, "temporalio/server:"+server, services["temporal"].Image)
	assert.Equal(t, "temporalio/admin-tools:"+server, services["schema"].Image)
	assert.Equal(t, "temporalio/admin-tools:"+server, services["namespace"].Image)
	assert.Equal(t, "temporalio/ui:"+strings.TrimPrefix(required(t, "github.com/temporalio/ui-server/v2"), "v"), services["ui"].Image)
}

func TestEveryServiceIsBounded(t *testing.T) {
	for name, service := range project(t).Services {
		t.Run(name, func(t *testing.T) {
			require.NotNil(t, service.Deploy)
			require.NotNil(t, service.Deploy.Resources.Limits)
			assert.Positive(t, service.Deploy.Resources.Limits.NanoCPUs.Value(), "no limit of processors")
			assert.Positive(t, int64(service.Deploy.Resources.Limits.MemoryBytes), "no limit of memory")
			require.NotNil(t, service.Logging)
			assert.NotEmpty(t, service.Logging.Options["max-size"], "a log without bound")
			assert.NotEmpty(t, service.Logging.Options["max-file"], "a log without bound")
			assert.Contains(t, service.SecurityOpt, "no-new-privileges:true")
			assert.Empty(t, service.ContainerName, "a fixed name forbids a second container")
			if isJob(service) {
				assert.Regexp(t, `^on-failure:[1-9]\d*$`, service.Restart, "a job that fails permanently must end")
			} else {
				assert.Equal(t, types.RestartPolicyUnlessStopped, service.Restart)
			}
		})
	}
}

func TestDependenciesCanBeFulfilled(t *testing.T) {
	loaded := project(t)
	for name, service := range loaded.Services {
		for on, dependency := range service.DependsOn {
			t.Run(name+" on "+on, func(t *testing.T) {
				target, found := loaded.Services[on]
				require.True(t, found)
				switch dependency.Condition {
				case types.ServiceConditionHealthy:
					assert.False(t, isJob(target), "a job is never healthy")
					require.NotNil(t, target.HealthCheck)
				case types.ServiceConditionCompletedSuccessfully:
					assert.True(t, isJob(target), "a service never completes")
				default:
					t.Errorf("condition %s says nothing about whether %s can be used", dependency.Condition, on)
				}
			})
		}
	}
	// `docker compose up --wait` treats an ended container as a failure unless another service waits for it to complete.
	for name, service := range loaded.Services {
		if isJob(service) {
			awaited := false
			for _, other := range loaded.Services {
				awaited = awaited || other.DependsOn[name].Condition == types.ServiceConditionCompletedSuccessfully
			}
			assert.True(t, awaited, "nothing waits for the job %s", name)
		}
	}
}

func TestHealthChecks(t *testing.T) {
	for name, service := range project(t).Services {
		t.Run(name, func(t *testing.T) {
			if isJob(service) {
				assert.Nil(t, service.HealthCheck, "a job has no health")
				return
			}
			check := service.HealthCheck
			require.NotNil(t, check)
			assert.False(t, check.Disable)
			assert.Equal(t, "CMD", check.Test[0], "without a shell in between")
			require.NotNil(t, check.Interval)
			require.NotNil(t, check.Timeout)
			require.NotNil(t, check.StartPeriod)
			require.NotNil(t, check.Retries)
			assert.Less(t, *check.Timeout, *check.Interval, "checks would overlap")
			assert.GreaterOrEqual(t, *check.Retries, uint64(3), "one slow answer must not count as unhealthy")
		})
	}
}

func TestPortsStayOnThisMachine(t *testing.T) {
	published := map[string]string{}
	for name, service := range project(t).Services {
		for _, port := range service.Ports {
			assert.Equal(t, "127.0.0.1", port.HostIP, "%s is open to the network", name)
			assert.NotContains(t, published, port.Published)
			published[port.Published] = name
		}
	}
	assert.Equal(t, map[string]string{"7233": "temporal", "8233": "ui"}, published)
}

func TestNoSecretInTheOpen(t *testing.T) {
	loaded := project(t)
	for name, service := range loaded.Services {
		for variable, value := range service.Environment {
			if value == nil {
				continue
			}
			assert.NotContains(t, *value, password, "%s gets the password in %s, where docker inspect shows it", name, variable)
			if regexp.MustCompile(`(?i)(pass|pwd|secret|token|credential|private|_key)`).MatchString(variable) {
				assert.True(t, strings.HasPrefix(*value, "/run/secrets/"), "%s has a secret in %s", name, variable)
			}
		}
		for _, word := range slices.Concat([]string(service.Command), []string(service.Entrypoint)) {
			assert.NotContains(t, word, password)
		}
	}
	for name, secret := range loaded.Secrets {
		assert.True(t, secret.Environment != "" || secret.File != "", "secret %s has its value in the file", name)
	}
	// Not even an empty one: `docker compose` then reports the missing variable, and no example becomes a password.
	assert.Regexp(t, `(?m)^#POSTGRES_PASSWORD=$`, read(t, "deploy/env.example"))
}

// `docker compose` copies a secret from a variable into the container, which a read-only container rejects.
func TestWhoGetsASecretCanReceiveIt(t *testing.T) {
	for name, service := range project(t).Services {
		if len(service.Secrets) > 0 {
			assert.False(t, service.ReadOnly, name)
		}
	}
}

func TestOnlyWhatNeedsTheDatabaseReachesIt(t *testing.T) {
	loaded := project(t)
	assert.True(t, loaded.Networks["database"].Internal)
	for name, service := range loaded.Services {
		_, inside := service.Networks["database"]
		assert.Equal(t, slices.Contains([]string{"postgres", "schema", "temporal"}, name), inside, name)
	}
}

func TestFilesFromTheRepository(t *testing.T) {
	for name, service := range project(t).Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			t.Run(name+" "+volume.Target, func(t *testing.T) {
				assert.True(t, volume.ReadOnly)
				_, err := os.Stat(volume.Source)
				assert.NoError(t, err)
			})
		}
	}
}

func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(root, "deploy/*.sh"))
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, script := range scripts {
		output, err := exec.Command("sh", "-n", script).CombinedOutput()
		assert.NoError(t, err, "%s", output)
	}
}
