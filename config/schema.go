package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:generate go run ./generate

// object is a JSON object.
type object map[string]any

// Schema returns the JSON Schema (2020-12) of a configuration file, for editors. It is
// generated from the types that the file is read into and from the descriptions in
// blocks; config/schema.json is a copy. It accepts everything that Parse accepts, and also
// what a schema cannot refuse, above all wrong expressions.
//
// The error lists keys that blocks does not describe, and described keys that do not exist.
func Schema() ([]byte, error) {
	w := &schemaWalk{defs: object{}}
	for name, kind := range kinds {
		w.defs[name] = kind
	}
	root := w.block("", reflect.TypeFor[file](), reflect.New(reflect.TypeFor[file]()).Elem())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://segue.example/schemas/config.json"
	root["title"] = "Segue configuration"
	root["type"] = []string{"object", "null"}
	root["$defs"] = w.defs
	encoded, err := json.MarshalIndent(root, "", "  ")
	return append(encoded, '\n'), errors.Join(append(w.mistakes, err)...)
}

// schemaWalk generates the schema of each type that the file uses.
type schemaWalk struct {
	defs     object
	mistakes []error
}

// shaped is a type with a schema of its own.
type shaped interface{ schema() object }

// block describes a block: in place, or once in $defs if it has a name.
func (w *schemaWalk) block(path string, t reflect.Type, defaults reflect.Value) object {
	b := blocks[t]
	if b.name != "" {
		if _, ok := w.defs[b.name]; !ok {
			w.defs[b.name] = object{} // it may contain itself
			w.defs[b.name] = w.properties(path, t, defaults, b)
		}
		return object{"$ref": "#/$defs/" + b.name}
	}
	return w.properties(path, t, defaults, b)
}

func (w *schemaWalk) properties(path string, t reflect.Type, defaults reflect.Value, b block) object {
	keys := keysOf(t)
	properties := object{}
	required := []string{}
	for _, k := range keys {
		description, ok := b.keys[k.name]
		if !ok {
			w.mistakes = append(w.mistakes, fmt.Errorf("config/blocks.go: %s has no description: add it to that of %s", join(path, k.name), t))
		}
		if description.need {
			required = append(required, k.name)
		}
		properties[k.name] = w.key(join(path, k.name), k, k.in(defaults), description)
	}
	for _, name := range slices.Sorted(maps.Keys(b.keys)) {
		if !slices.Contains(namesOf(keys), name) {
			w.mistakes = append(w.mistakes, fmt.Errorf("config/blocks.go: %s is described, and %s has no such key", join(path, name), t))
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	if len(b.rules) > 0 {
		s["allOf"] = b.rules
	}
	return s
}

// key describes one key of a block.
func (w *schemaWalk) key(path string, b blockKey, defaults reflect.Value, k key) object {
	s := w.value(path, b.kind, defaults, k, b.scalar)
	if !k.need && takesNull(b.kind) {
		s = nullable(s)
	}
	if own := settingAt(path); own != nil {
		if value, err := strconv.ParseBool(own.defaultValue); err == nil {
			s["default"] = value
		} else if own.defaultValue != "" {
			s["default"] = own.defaultValue
		}
	} else if value, ok := defaultOf(defaults); ok {
		s["default"] = value
	}
	if k.about != "" {
		s["description"] = k.about
	}
	return s
}

// value describes the values of a type.
func (w *schemaWalk) value(path string, t reflect.Type, defaults reflect.Value, k key, scalar bool) object {
	switch t {
	case reflect.TypeFor[setting]():
		s := settingAt(path)
		if s == nil {
			w.mistakes = append(w.mistakes, fmt.Errorf("config/settings.go: %s is not among the process settings", path))
			return object{}
		}
		return maps.Clone(s.form.schema)
	case reflect.TypeFor[words]():
		return oneOrMore(k)
	case reflect.TypeFor[*yaml.Node]():
		s := object{}
		maps.Copy(s, k.value)
		return s
	}
	if own, ok := reflect.New(t).Interface().(shaped); ok {
		return own.schema()
	}
	switch t.Kind() {
	case reflect.Pointer:
		pointed := reflect.New(t.Elem())
		withDefaults(pointed)
		return w.value(path, t.Elem(), pointed.Elem(), k, scalar)
	case reflect.Struct:
		return w.block(path, t, defaults)
	case reflect.Slice:
		return w.list(path, t, k)
	case reflect.Map:
		if isKeyed(t) {
			return w.block(path, t, defaults)
		}
		properties := object{}
		for _, name := range k.names {
			properties[name] = w.element(join(path, name), t.Elem(), key{})
		}
		return object{"type": "object", "properties": properties, "additionalProperties": false}
	}
	s := object{"type": typeOf(t.Kind(), scalar)}
	maps.Copy(s, k.value)
	if s["enum"] != nil || s["$ref"] != nil {
		delete(s, "type") // implied
	}
	return s
}

func (w *schemaWalk) list(path string, t reflect.Type, k key) object {
	s := object{"type": "array", "items": w.element(path+"[]", t.Elem(), key{value: k.value})}
	if k.most > 0 {
		s["maxItems"] = k.most
	}
	if k.least > 0 {
		s["minItems"] = k.least
	}
	return s
}

// element describes an entry of a list or map. An empty entry is a block without keys,
// which is allowed only if no key is required.
func (w *schemaWalk) element(path string, t reflect.Type, k key) object {
	defaults := reflect.New(t)
	withDefaults(defaults)
	s := w.value(path, t, defaults.Elem(), k, false)
	if (t.Kind() == reflect.Struct || isKeyed(t)) && !blocks[t].needsKeys() {
		return nullable(s)
	}
	return s
}

// oneOrMore describes one word or a list of words.
func oneOrMore(k key) object {
	item := k.value
	if item == nil {
		item = anyText.schema
	}
	list := object{"type": "array", "items": item, "maxItems": k.most}
	if k.need {
		list["minItems"] = 1
	}
	return object{"anyOf": []object{item, list}}
}

func typeOf(kind reflect.Kind, scalar bool) any {
	switch {
	case scalar:
		return anyText.schema["type"]
	case kind == reflect.Bool:
		return "boolean"
	case kind == reflect.Int, kind == reflect.Int64:
		return "integer"
	case kind == reflect.Float64:
		return "number"
	}
	return "string"
}

// takesNull reports whether a key of the type may have no value.
func takesNull(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[words](), reflect.TypeFor[setting]():
		return true
	}
	_, own := reflect.New(t).Interface().(custom)
	return !own && t != reflect.TypeFor[*yaml.Node]()
}

// nullable allows a key without a value, which counts as absent.
func nullable(s object) object {
	types, plain := s["type"].([]string)
	if one, ok := s["type"].(string); ok {
		types, plain = []string{one}, true
	}
	if alternatives, ok := s["anyOf"].([]object); ok {
		s["anyOf"] = append(slices.Clone(alternatives), object{"type": "null"})
		return s
	}
	if plain {
		s["type"] = append(slices.Clone(types), "null")
		return s
	}
	if len(s) == 0 {
		return s
	}
	return object{"anyOf": []object{s, {"type": "null"}}}
}

// defaultOf returns the default of a key as the file would write it, and false if it has
// none.
func defaultOf(v reflect.Value) (any, bool) {
	switch t := v.Interface().(type) {
	case duration:
		return short(time.Duration(t)), t != 0
	case size:
		return t.String(), t != 0
	case statuses:
		return t.strings(), len(t) > 0
	case []duration:
		list := make([]string, len(t))
		for i := range t {
			list[i] = short(time.Duration(t[i]))
		}
		return list, len(t) > 0
	case bool, int, float64:
		return t, true
	}
	if v.Kind() == reflect.String {
		return v.String(), v.String() != ""
	}
	return nil, false
}

// short writes a duration without units that are zero.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// settingAt returns the process setting with a path, nil if there is none.
func settingAt(path string) *processSetting {
	i := slices.IndexFunc(processSettings, func(s processSetting) bool { return s.key == path })
	if i < 0 {
		return nil
	}
	return &processSettings[i]
}
