package workflows_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"segue/workflows"
)

// TestEveryChangeIsRegistered compares the register with the code: no other code asks
// Temporal for a version, every entry is used, and every entry has what is needed to remove
// it.
func TestEveryChangeIsRegistered(t *testing.T) {
	release := regexp.MustCompile(`^v\d+\.\d+\.\d+$`)
	ids := map[string]bool{}
	for _, c := range workflows.Changes() {
		require.False(t, ids[c.ID], "%s is registered twice", c.ID)
		ids[c.ID] = true
		require.Less(t, c.Min, c.Max, "%s: where only one version is left, the change leaves the register", c.ID)
		require.GreaterOrEqual(t, c.Min, workflow.DefaultVersion, c.ID)
		require.Regexp(t, release, c.Since, c.ID)
		require.NotEmpty(t, c.Removable, c.ID)
	}
	asked := map[string]bool{}
	for _, call := range calls(t) {
		switch {
		case call.function == "GetVersion":
			require.Equal(t, "changes.go", call.file, "call versionOf instead of workflow.GetVersion")
		case call.function == "versionOf":
			require.True(t, strings.HasPrefix(call.second, "change"), "%s: name the change by its constant, not %s", call.file, call.second)
			asked[call.second] = true
		}
	}
	require.Len(t, asked, len(ids), "every registered change is used, and every used change is registered")
}

// codeCall is a call of a function in the code of this package.
type codeCall struct{ file, function, second string }

func calls(t *testing.T) []codeCall {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var found []codeCall
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			c := codeCall{file: file}
			switch function := call.Fun.(type) {
			case *ast.Ident:
				c.function = function.Name
			case *ast.SelectorExpr:
				c.function = function.Sel.Name
			}
			if len(call.Args) > 1 {
				if name, ok := call.Args[1].(*ast.Ident); ok {
					c.second = name.Name
				}
			}
			found = append(found, c)
			return true
		})
	}
	return found
}
