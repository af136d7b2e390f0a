package config_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"segue/config"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestTheSchemaInTheRepositoryIsUpToDate(t *testing.T) {
	schema, err := config.Schema()
	require.NoError(t, err)
	written, err := os.ReadFile("schema.json")
	require.NoError(t, err)
	require.Equal(t, string(schema), string(written), "write it again: go generate ./config")
}

func TestEveryKeyHasADescription(t *testing.T) {
	schema, err := config.Schema()
	require.NoError(t, err)
	var root any
	require.NoError(t, json.Unmarshal(schema, &root))
	keys := 0
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			properties, _ := v["properties"].(map[string]any)
			if v["additionalProperties"] == false {
				for name, property := range properties {
					keys++
					_, described := property.(map[string]any)["description"]
					isChannel := strings.HasSuffix(path, "/channels")
					isToken := strings.Contains(path, "/bearer/")
					assert.True(t, described || isChannel || isToken, path+"/"+name)
				}
			}
			for name, child := range v {
				walk(path+"/"+name, child)
			}
		case []any:
			for _, child := range v {
				walk(path, child)
			}
		}
	}
	walk("", root)
	assert.Greater(t, keys, 100)
}

// compiledSchema returns the schema, compiled by a validator.
func compiledSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	schema, err := config.Schema()
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("https://segue.example/schemas/config.json", document))
	compiled, err := compiler.Compile("https://segue.example/schemas/config.json")
	require.NoError(t, err)
	return compiled
}

// schemaRefuses returns the error of the schema for a file, read as editors read it.
func schemaRefuses(t testing.TB, schema *jsonschema.Schema, data []byte) error {
	t.Helper()
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal(data, &document))
	if len(document.Content) == 0 {
		return nil
	}
	return schema.Validate(jsonOf(document.Content[0]))
}

// jsonOf converts a YAML tree to JSON. Values of types that JSON does not have become text.
func jsonOf(n *yaml.Node) any {
	switch n.Kind {
	case yaml.AliasNode:
		return jsonOf(n.Alias)
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			object[n.Content[i].Value] = jsonOf(n.Content[i+1])
		}
		return object
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = jsonOf(item)
		}
		return list
	}
	var value any
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool", "!!int", "!!float":
		if n.Decode(&value) == nil {
			if encoded, err := json.Marshal(value); err == nil { // JSON has no infinity
				value, err = jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
				if err == nil {
					return value
				}
			}
		}
	}
	return n.Value
}

var schemaLine = regexp.MustCompile(`(?m)^# yaml-language-server: \$schema=(\S+)$`)

// The schema accepts every configuration in the repository, and is where its first line says.
func TestTheSchemaAcceptsEveryConfigurationFile(t *testing.T) {
	schema := compiledSchema(t)
	files := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && entry.Name() == ".git" {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); entry.IsDir() || ext != ".yaml" && ext != ".yml" {
			return nil
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		var keys map[string]any
		if err := yaml.Unmarshal(data, &keys); err != nil || keys["calls"] == nil {
			return nil // another kind of file
		}
		files++
		t.Run(path, func(t *testing.T) {
			_, err := config.Parse(path, data)
			require.NoError(t, err)
			require.NoError(t, schemaRefuses(t, schema, data))
			if line := schemaLine.FindSubmatch(data); line != nil {
				require.FileExists(t, filepath.Join(filepath.Dir(path), string(line[1])))
			}
		})
		return nil
	}))
	require.Positive(t, files)
	require.Regexp(t, schemaLine, string(config.Example))

	for _, text := range []string{good, "", "# nothing\n", "calls:\n", "{}", "log: {level: }"} {
		require.NoError(t, schemaRefuses(t, schema, []byte(text)), text)
	}
}

// onlyTheLoader are the mistakes that only the loader finds: it knows expressions, the values
// of other keys, and YAML.
var onlyTheLoader = []string{
	"duplicate key", "duplicate call", "duration out of range", "expression in a body", "element in a body", "expression in a header",
	"parameter of the grant itself", "client certificate without TLS", "authority without TLS", "server name",
	"accept of soap", "values of a head", "a port", "a tag in a name",
	"class both ways", "authority of a token URL without TLS", "proxy without its password", "no proxy to log in to",
	"trigger without its call", "condition", "overflow into itself", "wait for a number", "wait for a number in a queue", "wait for a number by default", "guard", "syntax", "second document", "merge key",
	"call of desktops that does not exist", "call of desktops beside lists", "call of desktops that is built in",
}

func TestTheSchemaRefusesWhatTheLoaderRefuses(t *testing.T) {
	schema := compiledSchema(t)
	for _, m := range mistakes() {
		if slices.Contains([]string{"duplicate key", "syntax", "second document", "merge key"}, m.name) {
			continue // these are not valid YAML, or not part of JSON
		}
		err := schemaRefuses(t, schema, []byte(strings.Replace(good, m.old, m.new, 1)))
		if slices.Contains(onlyTheLoader, m.name) {
			assert.NoError(t, err, "%s: the schema finds it now: remove it from the list", m.name)
		} else {
			assert.Error(t, err, m.name)
		}
	}
}
