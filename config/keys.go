package config

import "reflect"

// keyed is a map that accepts certain keys only.
type keyed interface{ keys() []string }

// blockKey is one key that a block accepts: a field of a struct, by its yaml tag, or a
// key of a keyed map.
type blockKey struct {
	name   string
	kind   reflect.Type
	scalar bool
	index  []int // of the struct's field; nil in a map
}

// in returns the key's value in a block, the zero value in a map.
func (k blockKey) in(block reflect.Value) reflect.Value {
	if k.index == nil {
		return reflect.Zero(k.kind)
	}
	return block.FieldByIndex(k.index)
}

// keysOf returns the keys that a block of a type accepts, in their order.
func keysOf(t reflect.Type) []blockKey {
	var list []blockKey
	if names, ok := reflect.Zero(t).Interface().(keyed); ok {
		for _, name := range names.keys() {
			list = append(list, blockKey{name: name, kind: t.Elem()})
		}
		return list
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("yaml"); name != "" {
			_, scalar := f.Tag.Lookup("scalar")
			list = append(list, blockKey{name: name, kind: f.Type, scalar: scalar, index: f.Index})
		}
	}
	return list
}

func isKeyed(t reflect.Type) bool { return t.Implements(reflect.TypeFor[keyed]()) }

func namesOf(keys []blockKey) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}
