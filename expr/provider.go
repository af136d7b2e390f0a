package expr

import (
	"encoding/json"
	"maps"
	"reflect"
	"time"

	"segue/interaction"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// provider gives the schema to the type checker and the interpreter.
type provider struct{ *types.Registry }

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := declared[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Registry.FindStructType(name)
}

func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	if o, ok := declared[name]; ok {
		return o.names, true
	}
	return p.Registry.FindStructFieldNames(name)
}

func (p provider) FindStructFieldType(name, key string) (*types.FieldType, bool) {
	o, ok := declared[name]
	if !ok {
		return p.Registry.FindStructFieldType(name, key)
	}
	kind := cel.DynType
	if f, ok := o.fields[key]; ok {
		kind = f.kind
	} else if o.open == nil {
		return nil, false
	}
	return &types.FieldType{
		Type: kind,
		IsSet: func(target any) bool {
			v, ok := o.lookup(target, key)
			return ok && v != ""
		},
		GetFrom: func(target any) (any, error) {
			v, ok := o.lookup(target, key)
			if !ok {
				return nil, ErrMissing
			}
			return v, nil
		},
	}, true
}

// NativeToValue converts an object of the schema that an expression uses as a whole into a
// plain map, and into null if there is none.
func (p provider) NativeToValue(v any) ref.Val {
	switch t := v.(type) {
	case string: // the common case, before the registry's longer switch
		return types.String(t)
	case map[string]any:
		return types.NewMap(p, t)
	case []any:
		return types.NewList(p, t)
	case time.Time:
		return types.Timestamp{Time: t.UTC()}
	case *interaction.Agent:
		return asMap(p, "segue.Agent", t, agentAttributes)
	case *interaction.Event:
		return asMap(p, "segue.Event", t, func(e *interaction.Event) map[string]any { return e.Fields })
	case *interaction.Disposition:
		return asMap(p, "segue.Disposition", t, nil)
	case *interaction.Facts:
		return asMap(p, "segue.Interaction", t, nil)
	case *interaction.Durations:
		return asMap(p, "segue.Durations", t, nil)
	case *Delivery:
		return asMap(p, "segue.Delivery", t, nil)
	}
	if composite(v) { // a type of the domain inside open data is read as its JSON
		var read any
		if b, err := json.Marshal(v); err == nil && json.Unmarshal(b, &read) == nil {
			return p.NativeToValue(read)
		}
	}
	return p.Registry.NativeToValue(v)
}

// composite reports whether a value contains something that the registry cannot adapt. It
// can adapt values of CEL's own types, and lists and maps of plain values.
func composite(v any) bool {
	if _, ok := v.(ref.Val); ok || v == nil {
		return false
	}
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Interface
}

// asMap returns an object as a map of its values. Declared fields override open ones.
func asMap[T any](p provider, name string, v *T, open func(*T) map[string]any) ref.Val {
	if v == nil {
		return types.NullValue
	}
	m := map[string]any{}
	if open != nil {
		maps.Copy(m, open(v))
	}
	o := declared[name]
	for _, key := range o.names {
		if found, ok := o.fields[key].get(v); ok && found != "" {
			m[key] = found
		}
	}
	return types.NewMap(p, m)
}
