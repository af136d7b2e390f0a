package embedded_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/embedded"
)

// pollEvery is how often a test checks a condition that it waits for.
const pollEvery = 10 * time.Millisecond

// otherMachine gives the test an empty cache, a checkout with an empty devserver, and a go command that records each call
// and "builds" a script. It returns the checkout, and the file with one line for each build.
func otherMachine(t *testing.T) (checkout, builds string) {
	t.Helper()
	root := t.TempDir()
	checkout, builds = filepath.Join(root, "checkout"), filepath.Join(root, "builds")
	write(t, filepath.Join(checkout, "go.mod"), "module segue\n", 0o644)
	write(t, filepath.Join(checkout, "devserver", "go.mod"), "module segue/devserver\n", 0o644)
	write(t, filepath.Join(checkout, "devserver", "go.sum"), "", 0o644)
	write(t, filepath.Join(checkout, "devserver", "main.go"), "package main\n", 0o644)
	write(t, filepath.Join(root, "bin", "go"), `#!/bin/sh
if [ "$1" = list ]; then printf 'unsafe\nexample.com/a\nexample.com/b\nsegue/devserver\n'; exit; fi
echo build >> "`+builds+`"
echo unsafe >&2; echo example.com/a >&2
if [ -n "$SLOW_BUILD" ]; then while [ ! -e "$SLOW_BUILD" ]; do sleep 0.01; done; fi
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\necho no such luck >&2\nexit 7\n' > "$2"
chmod +x "$2"
`, 0o755)
	t.Setenv("PATH", filepath.Join(root, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("HOME", root)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(root, "cache"))
	t.Setenv(embedded.BinaryVariable, "")
	t.Cleanup(embedded.BuiltFrom(checkout))
	return checkout, builds
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), mode))
}

func count(t *testing.T, builds string) int {
	t.Helper()
	content, err := os.ReadFile(builds)
	require.NoError(t, err)
	return strings.Count(string(content), "build")
}

func TestConcurrentCallersBuildOnce(t *testing.T) {
	checkout, builds := otherMachine(t)
	var wait sync.WaitGroup
	paths := make([]string, 8)
	for i := range paths {
		wait.Go(func() {
			path, err := embedded.Binary(t.Context(), nil)
			if err == nil {
				paths[i] = path
			}
		})
	}
	wait.Wait()
	require.NotEmpty(t, paths[0])
	for _, path := range paths {
		require.Equal(t, paths[0], path)
	}
	require.Equal(t, 1, count(t, builds))

	write(t, filepath.Join(checkout, "devserver", "main_test.go"), "package main\n", 0o644)
	same, err := embedded.Binary(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, paths[0], same, "a changed test does not cause a build")

	write(t, filepath.Join(checkout, "devserver", "main.go"), "package main // changed\n", 0o644)
	changed, err := embedded.Binary(t.Context(), nil)
	require.NoError(t, err)
	require.NotEqual(t, paths[0], changed)
	require.Equal(t, 2, count(t, builds))
}

func TestADevserverAboveTheWorkingDirectoryIsNotRun(t *testing.T) {
	_, builds := otherMachine(t)
	foreign := t.TempDir()
	write(t, filepath.Join(foreign, "go.mod"), "module segue\n", 0o644)
	write(t, filepath.Join(foreign, "devserver", "go.mod"), "module segue/devserver\n", 0o644)
	write(t, filepath.Join(foreign, "devserver", "go.sum"), "", 0o644)
	write(t, filepath.Join(foreign, "devserver", "main.go"), "package main // foreign\n", 0o644)
	own, err := embedded.Binary(t.Context(), nil)
	require.NoError(t, err)
	t.Chdir(filepath.Join(foreign, "devserver"))
	again, err := embedded.Binary(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, own, again)
	require.Equal(t, 1, count(t, builds))
}

func TestABuildIsAnnounced(t *testing.T) {
	otherMachine(t)
	var said []string
	tell := func(what string) { said = append(said, what) }
	_, err := embedded.Binary(t.Context(), tell)
	require.NoError(t, err)
	require.Len(t, said, 1)
	require.Contains(t, said[0], "Building the embedded Temporal server. This happens once")

	_, err = embedded.Binary(t.Context(), tell)
	require.NoError(t, err)
	require.Len(t, said, 1, "a cached binary is not announced")
}

func TestTheProgressOfABuildIsShown(t *testing.T) {
	otherMachine(t)
	slow := filepath.Join(t.TempDir(), "go on")
	t.Setenv("SLOW_BUILD", slow)
	t.Cleanup(embedded.ReportedEvery(pollEvery))
	goOn := sync.OnceFunc(func() { write(t, slow, "", 0o644) })
	var said []string
	_, err := embedded.Binary(t.Context(), func(what string) {
		said = append(said, what)
		if strings.HasPrefix(what, "  2 of 4 packages, about ") {
			goOn()
		}
	})
	require.NoError(t, err)
	require.Regexp(t, `^  2 of 4 packages, about \d+s left$`, said[len(said)-1])
}

func TestAFailedBuildShowsTheCompilersOutput(t *testing.T) {
	checkout, _ := otherMachine(t)
	write(t, filepath.Join(checkout, "..", "bin", "go"), "#!/bin/sh\necho undefined: segue >&2\nexit 1\n", 0o755)
	_, err := embedded.Binary(t.Context(), nil)
	require.ErrorContains(t, err, "undefined: segue")
}

func TestTheOutputOfAServerThatDoesNotStartIsQuoted(t *testing.T) {
	otherMachine(t)
	_, err := embedded.Start(t.Context(), embedded.Options{})
	require.ErrorContains(t, err, "did not start")
	require.ErrorContains(t, err, "no such luck")
}

func TestTheVariableNamesTheBinary(t *testing.T) {
	checkout, _ := otherMachine(t)
	binary := filepath.Join(checkout, "mine")
	t.Setenv(embedded.BinaryVariable, binary)

	_, err := embedded.Binary(t.Context(), nil)
	require.ErrorContains(t, err, embedded.BinaryVariable)

	write(t, binary, "", 0o644)
	_, err = embedded.Binary(t.Context(), nil)
	require.ErrorContains(t, err, "not executable")

	require.NoError(t, os.Chmod(binary, 0o755))
	path, err := embedded.Binary(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, binary, path)
}

func TestWithoutACheckoutTheNewestCachedBinaryIsUsed(t *testing.T) {
	cache := t.TempDir()
	_, err := embedded.Newest(cache)
	require.ErrorContains(t, err, "set "+embedded.BinaryVariable)

	older, newer := filepath.Join(cache, "devserver-b"), filepath.Join(cache, "devserver-a")
	write(t, older, "", 0o755)
	write(t, newer, "", 0o755)
	write(t, filepath.Join(cache, "devserver-c.lock"), "", 0o644)
	write(t, filepath.Join(cache, "devserver-c.1.unfinished"), "", 0o755)
	require.NoError(t, os.Chtimes(older, time.Time{}, time.Now().Add(-time.Hour)))
	path, err := embedded.Newest(cache)
	require.NoError(t, err)
	require.Equal(t, newer, path)
}
