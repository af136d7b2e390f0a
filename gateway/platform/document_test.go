package platform_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"segue/gateway/platform"
	"segue/interaction"
)

// document returns the OpenAPI document as a client reads it.
func document(t *testing.T) map[string]any {
	t.Helper()
	answer := httptest.NewRecorder()
	platform.New(platform.Options{Sessions: noSessions{}}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil))
	require.Equal(t, http.StatusOK, answer.Code)
	if path := os.Getenv("SEGUE_OPENAPI"); path != "" {
		require.NoError(t, os.WriteFile(path, answer.Body.Bytes(), 0o600))
	}
	var read map[string]any
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &read))
	return read
}

type noSessions struct{}

func (noSessions) Session(http.ResponseWriter, *http.Request) error { return nil }
func (noSessions) End(w http.ResponseWriter, _ *http.Request, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, MaxAge: -1})
}

// each visits every object in a document.
func each(value any, visit func(map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		visit(v)
		for _, inner := range v {
			each(inner, visit)
		}
	case []any:
		for _, inner := range v {
			each(inner, visit)
		}
	}
}

func TestEveryReferenceOfTheDocumentResolves(t *testing.T) {
	whole := document(t)
	found := 0
	each(whole, func(o map[string]any) {
		ref, ok := o["$ref"].(string)
		if !ok {
			return
		}
		found++
		var at any = whole
		for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			at = at.(map[string]any)[part]
			require.NotNil(t, at, ref)
		}
	})
	require.Greater(t, found, 100)
}

func TestTheDocumentIsOpenAPI(t *testing.T) {
	// The schema of the OpenAPI Initiative for 3.1 documents.
	text, err := os.ReadFile("testdata/openapi-3.1.json")
	require.NoError(t, err)
	read, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("openapi-3.1.json", read))
	schema, err := compiler.Compile("openapi-3.1.json")
	require.NoError(t, err)
	require.NoError(t, schema.Validate(document(t)))

	broken := document(t)
	delete(broken, "info")
	require.Error(t, schema.Validate(broken), "the schema checks something")
}

func TestEveryCommandHasARouteWithItsOwnSchema(t *testing.T) {
	paths := document(t)["paths"].(map[string]any)
	for _, command := range interaction.Commands() {
		route, ok := paths["/interactions/{id}/commands/"+command].(map[string]any)
		require.True(t, ok, command)
		body := route["post"].(map[string]any)["requestBody"].(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)
		require.Contains(t, body["schema"].(map[string]any)["$ref"], "Payload")
		if example, ok := body["example"]; ok {
			encoded, err := json.Marshal(example)
			require.NoError(t, err)
			_, err = interaction.Decode(command, encoded)
			require.NoError(t, err, "the example of %s", command)
		}
	}
}

func TestEveryOperationSaysWhatItDoes(t *testing.T) {
	ids := map[string]bool{}
	for path, item := range document(t)["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			o := operation.(map[string]any)
			require.NotEmpty(t, o["summary"], "%s %s", method, path)
			require.NotEmpty(t, o["description"], "%s %s", method, path)
			id := o["operationId"].(string)
			require.False(t, ids[id], id)
			ids[id] = true
			for _, parameter := range list(o["parameters"]) {
				require.NotEmpty(t, parameter.(map[string]any)["description"], "%s %s %v", method, path, parameter)
			}
			for _, status := range []string{"400", "401", "403", "422", "429", "500", "503"} {
				require.Contains(t, o["responses"], status, "%s %s", method, path)
			}
		}
	}
}

func list(value any) []any {
	items, _ := value.([]any)
	return items
}
