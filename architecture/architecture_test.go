package architecture_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryRoomImportsOnlyWhatItMayKnow(t *testing.T) {
	packages := repository(t)
	require.Greater(t, len(packages), 40)
	for _, finding := range check(packages) {
		t.Error(finding)
	}
}

// TestEveryRuleIsAboutSomething finds rules whose room has been renamed or removed. Rooms to come are exceptions.
func TestEveryRuleIsAboutSomething(t *testing.T) {
	toCome := []string{"gateway/..."}
	packages := repository(t)
	for _, r := range rules {
		found := anyMatches(toCome, strings.TrimSuffix(r.room, "/..."))
		for _, p := range packages {
			found = found || matches(r.room, p.name)
		}
		require.True(t, found, "no package is in the room %s", r.room)
		require.NotEmpty(t, r.reason, r.room)
	}
}

func TestAPlantedImportIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		planted pkg
		others  []pkg
		finding string
	}{
		"the domain imports another room": {
			planted: pkg{name: "interaction", imports: []string{"config"}}, others: []pkg{{name: "config"}},
			finding: "interaction imports config: the domain is pure",
		},
		"the domain imports Temporal": {
			planted: pkg{name: "interaction/intake", imports: []string{"go.temporal.io/sdk/workflow"}},
			finding: "interaction/intake imports go.temporal.io/sdk/workflow: the domain is pure",
		},
		"the domain draws random numbers": {
			planted: pkg{name: "interaction", imports: []string{"math/rand/v2"}},
			finding: "interaction imports math/rand/v2: the domain is pure",
		},
		"the domain imports a library": {
			planted: pkg{name: "interaction", imports: []string{"github.com/spf13/cast"}},
			finding: "interaction imports github.com/spf13/cast: the domain is pure",
		},
		"a leaf imports a room": {
			planted: pkg{name: "spelling", imports: []string{"contract"}}, others: []pkg{{name: "contract"}},
			finding: "spelling imports contract: a leaf knows no other room",
		},
		"the contract imports the client": {
			planted: pkg{name: "contract", imports: []string{"client"}}, others: []pkg{{name: "client"}},
			finding: "contract imports client: the contract is below",
		},
		"workflows import activities": {
			planted: pkg{name: "workflows", imports: []string{"activities"}}, others: []pkg{{name: "activities"}},
			finding: "workflows imports activities: workflow code is deterministic",
		},
		"a test of workflows imports the configuration": {
			planted: pkg{name: "workflows", tests: []string{"config"}}, others: []pkg{{name: "config"}},
			finding: "workflows imports config: workflow code is deterministic",
		},
		"activities reach workflows through another room": {
			planted: pkg{name: "activities", imports: []string{"history"}},
			others:  []pkg{{name: "history", imports: []string{"deep"}}, {name: "deep", imports: []string{"workflows"}}, {name: "workflows"}},
			finding: "activities imports history, which imports deep, which imports workflows: activities and workflows know each other",
		},
		"a gateway imports workflows": {
			planted: pkg{name: "gateway/gws", imports: []string{"workflows"}}, others: []pkg{{name: "workflows"}},
			finding: "gateway/gws imports workflows: a gateway reaches workflows as any other client does",
		},
		"workflows import a gateway": {
			planted: pkg{name: "workflows", imports: []string{"gateway/gws"}}, others: []pkg{{name: "gateway/gws"}},
			finding: "workflows imports gateway/gws: workflow code is deterministic",
		},
		"a client imports recovery": {
			planted: pkg{name: "client/lanes", imports: []string{"recovery"}}, others: []pkg{{name: "recovery"}},
			finding: "client/lanes imports recovery: a client knows the contract",
		},
		"a room imports the command line": {
			planted: pkg{name: "config", tests: []string{"starter/demo"}}, others: []pkg{{name: "starter/demo"}},
			finding: "config imports starter/demo: the command line is built from rooms",
		},
		"the harness depends on testing": {
			planted: pkg{name: "worker/local", imports: []string{"testing"}},
			finding: "worker/local imports testing: the harness does not know its users",
		},
		"the product imports a test helper": {
			planted: pkg{name: "delivery", imports: []string{"delivery/hostiletest"}}, others: []pkg{{name: "delivery/hostiletest"}},
			finding: "delivery imports delivery/hostiletest: hostile receivers are for tests alone",
		},
		"a test of the product imports what runs beneath end-to-end tests": {
			planted: pkg{name: "gateway", tests: []string{"e2e/stack"}}, others: []pkg{{name: "e2e/stack"}},
			finding: "gateway imports e2e/stack: what end-to-end tests use is for them alone",
		},
		"a program is imported": {
			planted: pkg{name: "recovery", imports: []string{"replay/record"}}, others: []pkg{{name: "replay/record", program: true}},
			finding: "recovery imports replay/record: nothing imports a program",
		},
		"rooms import each other": {
			planted: pkg{name: "bus", imports: []string{"hub/x"}},
			others:  []pkg{{name: "hub/x", imports: []string{"store"}}, {name: "store", imports: []string{"bus/y"}}, {name: "bus/y"}},
			finding: "rooms import each other: bus, hub, store, bus",
		},
	} {
		t.Run(name, func(t *testing.T) {
			findings := check(append([]pkg{test.planted}, test.others...))
			require.NotEmpty(t, findings)
			require.Contains(t, strings.Join(findings, "\n"), test.finding)
		})
	}
}

func TestAnAllowedImportIsNoFinding(t *testing.T) {
	require.Empty(t, check([]pkg{
		{name: "interaction", imports: []string{"fmt", "time", "spelling"}, tests: []string{"interaction", "github.com/stretchr/testify/require"}},
		{name: "spelling"}, {name: "contract", imports: []string{"interaction", "go.temporal.io/sdk/temporal"}},
		{name: "workflows", imports: []string{"contract"}}, {name: "starter", program: true, imports: []string{"starter/draw", "workflows"}},
		{name: "starter/draw"}, {name: "replay", imports: []string{"workflows"}}, {name: "worker/local"},
		{name: "replay/record", program: true, imports: []string{"replay", "worker/local"}},
	}))
}

// repository lists the packages of all modules in the repository. Walking every folder of it also makes Go run the test
// again when any file has changed, which it would not notice through go list.
func repository(t *testing.T) []pkg {
	t.Helper()
	if len(listed) > 0 {
		return listed
	}
	var packages []pkg
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if err == nil && entry.Name() == "go.mod" {
			packages = append(packages, module(t, filepath.Dir(path))...)
		}
		return err
	}))
	listed = packages
	return packages
}

// listed is what repository has found.
var listed []pkg

// module lists the packages of one module.
func module(t *testing.T, folder string) []pkg {
	t.Helper()
	command := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Imports,TestImports,XTestImports", "./...")
	command.Dir = folder
	command.Env = append(os.Environ(), "GOWORK=off")
	output, err := command.Output()
	require.NoError(t, err, folder)
	var packages []pkg
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var entry struct {
			ImportPath, Name                   string
			Imports, TestImports, XTestImports []string
		}
		err := decoder.Decode(&entry)
		if errors.Is(err, io.EOF) {
			return packages
		}
		require.NoError(t, err)
		p := pkg{name: folderOf(entry.ImportPath), program: entry.Name == "main"}
		for _, imported := range entry.Imports {
			p.imports = append(p.imports, folderOf(imported))
		}
		for _, imported := range append(entry.TestImports, entry.XTestImports...) {
			p.tests = append(p.tests, folderOf(imported))
		}
		packages = append(packages, p)
	}
}

func folderOf(importPath string) string { return strings.TrimPrefix(importPath, "segue/") }
