package interaction

import (
	"encoding/json"
	"fmt"
)

// Schemas returns the public contract of the payloads: a JSON Schema (2020-12) by command
// name, and one under "start". They come from the shapes that Decode checks. What a schema
// cannot express (bytes, durations) only Decode refuses. Decode takes "" and null for a field
// that may be left out; the schemas leave this out, so that types made from them read well.
func Schemas() map[string]json.RawMessage {
	schemas := map[string]json.RawMessage{"start": startMessage.schema("start")}
	for _, name := range commandNames {
		schemas[name] = messages[name].schema(name)
	}
	return schemas
}

func (m message) schema(name string) json.RawMessage {
	schema := append(m.fields[:len(m.fields):len(m.fields)], envelopeShape...).schema()
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["$id"] = fmt.Sprintf("https://segue.example/schemas/%s.json", name)
	schema["title"] = name
	switch {
	case len(m.notBoth) > 0:
		schema["oneOf"] = requiring(m.notBoth...)
	case len(m.anyOf) > 0:
		schema["anyOf"] = requiring(m.anyOf...)
	}
	encoded, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // cannot happen: a test builds every schema
	}
	return encoded
}

// schema returns the schema of an object; it allows fields that the shape does not know.
func (s shape) schema() map[string]any {
	properties := map[string]any{}
	required := []string{}
	for _, f := range s {
		property := f.kind.schema()
		if f.required {
			required = append(required, f.name)
		}
		if f.about != "" {
			property["description"] = f.about
		}
		properties[f.name] = property
	}
	schema := map[string]any{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// requiring returns alternatives, each of which requires one of the fields.
func requiring(names ...string) []any {
	alternatives := make([]any, len(names))
	for i, name := range names {
		alternatives[i] = map[string]any{"required": []string{name}}
	}
	return alternatives
}
