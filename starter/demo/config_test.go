package demo_test

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"segue/config"
)

func TestTheConfigurationOfTheDemoMatchesTheSchema(t *testing.T) {
	text, err := listen(t).Config()
	require.NoError(t, err)
	var file any
	require.NoError(t, yaml.Unmarshal(text, &file))

	schema, err := config.Schema()
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("config.json", document))
	compiled, err := compiler.Compile("config.json")
	require.NoError(t, err)
	require.NoError(t, compiled.Validate(file))
}
