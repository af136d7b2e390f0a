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

// Schema is the JSON Schema (2020-12) of a configuration file, for editors. It is
// made from the types that the file is read into and from what is said about them in
// blocks; config/schema.json is a copy. It refuses nothing that Parse takes; what a
// schema cannot say (the expressions, most of all) only Parse refuses.
//
// The error lists the keys that blocks does not describe, and those it describes
// although they do not exist.
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

// schemaWalk writes a schema for each type that it comes to.
type schemaWalk struct {
	defs     object
	mistakes []error
}

// shaped is a type that reads its own node and says what it takes.
type shaped interface{ schema() object }

// block describes a struct: in place, or once in $defs where it has a name.
func (w *schemaWalk) block(path string, t reflect.Type, standard reflect.Value) object {
	b := blocks[t]
	if b.name != "" {
		if _, ok := w.defs[b.name]; !ok {
			w.defs[b.name] = object{} // it may hold itself
			w.defs[b.name] = w.properties(path, t, standard, b)
		}
		return object{"$ref": "#/$defs/" + b.name}
	}
	return w.properties(path, t, standard, b)
}

func (w *schemaWalk) properties(path string, t reflect.Type, standard reflect.Value, b block) object {
	keys := keysOf(t)
	properties := object{}
	required := []string{}
	for _, k := range keys {
		said, ok := b.keys[k.name]
		if !ok {
			w.mistakes = append(w.mistakes, fmt.Errorf("config/blocks.go: %s has no description: add it to that of %s", join(path, k.name), t))
		}
		if said.need {
			required = append(required, k.name)
		}
		properties[k.name] = w.key(join(path, k.name), k, k.in(standard), said)
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
func (w *schemaWalk) key(path string, b blockKey, standard reflect.Value, k key) object {
	s := w.value(path, b.kind, standard, k, b.scalar)
	if !k.need && takesNull(b.kind) {
		s = nullable(s)
	}
	if own := settingAt(path); own != nil {
		if value, err := strconv.ParseBool(own.standard); err == nil {
			s["default"] = value
		} else if own.standard != "" {
			s["default"] = own.standard
		}
	} else if value, ok := standardOf(standard); ok {
		s["default"] = value
	}
	if k.about != "" {
		s["description"] = k.about
	}
	return s
}

// value describes what may stand for a type.
func (w *schemaWalk) value(path string, t reflect.Type, standard reflect.Value, k key, scalar bool) object {
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
		return w.block(path, t, standard)
	case reflect.Slice:
		return w.list(path, t, k)
	case reflect.Map:
		if isKeyed(t) {
			return w.block(path, t, standard)
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
		delete(s, "type") // said there
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

// element describes an entry of a list or map. An empty one is a block in which
// nothing is given, which only some blocks may be.
func (w *schemaWalk) element(path string, t reflect.Type, k key) object {
	standard := reflect.New(t)
	withDefaults(standard)
	s := w.value(path, t, standard.Elem(), k, false)
	if (t.Kind() == reflect.Struct || isKeyed(t)) && !blocks[t].needsKeys() {
		return nullable(s)
	}
	return s
}

// oneOrMore is one word or a list of them.
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

// takesNull tells whether a key of the type may stand without a value.
func takesNull(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[words](), reflect.TypeFor[setting]():
		return true
	}
	_, own := reflect.New(t).Interface().(custom)
	return !own && t != reflect.TypeFor[*yaml.Node]()
}

// nullable lets a key stand without a value, which is as if it were not there.
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

// standardOf is a key's value when the file does not give one, as it is written;
// false where there is none to tell.
func standardOf(v reflect.Value) (any, bool) {
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

// short is a duration without the units that are zero.
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

// settingAt finds a process setting by its path.
func settingAt(path string) *processSetting {
	i := slices.IndexFunc(processSettings, func(s processSetting) bool { return s.key == path })
	if i < 0 {
		return nil
	}
	return &processSettings[i]
}
