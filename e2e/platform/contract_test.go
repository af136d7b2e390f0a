package platform_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"segue/gateway/platform"
)

// contract is the OpenAPI document, against which every answer of the tests is checked.
type contract struct {
	whole    map[string]any
	paths    map[string]any
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	// seen are the statuses that were answered, by operation.
	seen map[string]map[string]bool
}

var published = sync.OnceValue(func() *contract {
	answer := httptest.NewRecorder()
	platform.New(platform.Options{Sessions: sessions{}}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil))
	whole, err := jsonschema.UnmarshalJSON(answer.Body)
	if err != nil {
		panic(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("openapi.json", whole); err != nil {
		panic(err)
	}
	document := whole.(map[string]any)
	return &contract{whole: document, paths: document["paths"].(map[string]any), compiler: compiler, seen: map[string]map[string]bool{}}
})

// operation returns the documented operation of a request, and its path; nil if there is none.
func (c *contract) operation(method, path string) (map[string]any, string) {
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "/v1"), "?")
	if method == http.MethodHead {
		method = http.MethodGet
	}
	best := ""
	for template := range c.paths {
		if matchesPath(template, path) && strings.Count(template, "{") <= strings.Count(best, "{")+10*bool2int(best == "") {
			best = template
		}
	}
	item, _ := c.paths[best].(map[string]any)
	operation, _ := item[strings.ToLower(method)].(map[string]any)
	return operation, best
}

func bool2int(is bool) int {
	if is {
		return 1
	}
	return 0
}

func matchesPath(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if !strings.HasPrefix(want[i], "{") && want[i] != got[i] {
			return false
		}
	}
	return true
}

// check requires that an answer has a documented status, and a body that fits its schema.
func (c *contract) check(t *testing.T, method, path string, a answer) {
	t.Helper()
	operation, template := c.operation(method, path)
	if operation == nil {
		require.Contains(t, []int{404, 405}, a.Status, "%s %s is not documented", method, path)
		return
	}
	status := strconv.Itoa(a.Status)
	response, ok := operation["responses"].(map[string]any)[status].(map[string]any)
	require.True(t, ok, "%s %s: status %s is not documented: %s", method, path, status, a.Raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	name := method + " " + template
	if c.seen[name] == nil {
		c.seen[name] = map[string]bool{}
	}
	c.seen[name][status] = true
	if ref, ok := response["$ref"].(string); ok {
		response = c.whole["components"].(map[string]any)["responses"].(map[string]any)[ref[strings.LastIndexByte(ref, '/')+1:]].(map[string]any)
	}
	content, _ := response["content"].(map[string]any)
	if method == http.MethodHead || len(content) == 0 {
		require.Empty(t, a.Raw, "%s %s", method, path)
		return
	}
	media, ok := content[a.Header.Get("Content-Type")].(map[string]any)
	require.True(t, ok, "%s %s: media type %s", method, path, a.Header.Get("Content-Type"))
	c.fits(t, media["schema"], a.Raw)
}

// fits requires that a body fits a schema of the document.
func (c *contract) fits(t *testing.T, schema any, body []byte) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err, "%s", body)
	compiled, err := c.compile(schema)
	require.NoError(t, err)
	require.NoError(t, compiled.Validate(value), "%s", body)
}

// compile compiles a reference, or a schema whose references are into the document.
func (c *contract) compile(schema any) (*jsonschema.Schema, error) {
	if ref, ok := schema.(map[string]any)["$ref"].(string); ok {
		return c.compiler.Compile("openapi.json" + ref)
	}
	inline := map[string]any{"$id": "inline.json", "components": c.whole["components"], "schema": schema}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("inline.json", inline); err != nil {
		return nil, err
	}
	return compiler.Compile("inline.json#/schema")
}
