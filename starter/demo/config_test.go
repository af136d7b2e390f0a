package demo_test

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"segue/config"
	"segue/starter/demo"
)

func TestTheDemosConfigurationMatchesTheSchema(t *testing.T) {
	receivers, err := demo.Listen()
	require.NoError(t, err)
	defer func() { require.NoError(t, receivers.Close()) }()
	text, err := receivers.Config()
	require.NoError(t, err)
	var document any
	require.NoError(t, yaml.Unmarshal(text, &document))

	text, err = config.Schema()
	require.NoError(t, err)
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("schema.json", schema))
	compiled, err := compiler.Compile("schema.json")
	require.NoError(t, err)
	require.NoError(t, compiled.Validate(document))
}
