package interaction_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"segue/interaction"
)

func compiled(t *testing.T) map[string]*jsonschema.Schema {
	compiler := jsonschema.NewCompiler()
	schemas := map[string]*jsonschema.Schema{}
	for name, raw := range interaction.Schemas() {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		require.NoError(t, err)
		location := "https://segue.example/schemas/" + name + ".json"
		require.NoError(t, compiler.AddResource(location, document))
		schemas[name], err = compiler.Compile(location)
		require.NoError(t, err, name)
	}
	return schemas
}

// The schemas and Decode come from the same shapes: they accept the same payloads.
func TestSchemasAgreeWithDecode(t *testing.T) {
	schemas := compiled(t)
	require.Len(t, schemas, len(interaction.Commands())+1)
	for _, line := range everyPayload {
		name, payload, _ := strings.Cut(line, " ")
		if strings.HasPrefix(name, "[") {
			continue
		}
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(payload + strings.Repeat("{}", btoi(payload == ""))))
		require.NoError(t, err)
		require.NoError(t, schemas[name].Validate(document), line)
	}
	for name, payload := range map[string]string{
		"accept": `{"agent":"a\n1"}`, "leave": `{"agent":{"id":true}}`, "offer": `{}`, "place_in_queue": `{"queue":7}`, "transfer": `{"to":{}}`, "survey": `{}`,
		"dtmf": `{"digits":"x"}`, "segment_change": `{"segment":"x"}`, "set_disposition": `{"notes":"n"}`, "start": `{"id":"i"}`,
		"connect": `{"source_sequence":0}`, "engagement_result": `{"result":"x"}`, "hold": `{"by":{"role":"x"}}`,
	} {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(payload))
		require.NoError(t, err)
		require.Error(t, schemas[name].Validate(document), name)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(draft))
	require.NoError(t, err)
	require.NoError(t, schemas["start"].Validate(document))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
