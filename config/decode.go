package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"segue/excerpt"
	"segue/expr"

	"go.yaml.in/yaml/v3"
)

// decoder fills the structs of the file from YAML nodes. It reports every unknown key,
// duplicate key and wrong type with its line, and continues.
type decoder struct {
	file     string
	lines    map[string]int    // of every path, once it is read
	settings map[string]string // of every process setting in the file, by path
	errors   Errors
	nodes    int
	// unread are the paths whose value has the wrong type. Checks that find them empty
	// report nothing further.
	unread map[string]bool
}

// custom is a type that decodes itself.
type custom interface {
	decode(d *decoder, path string, n *yaml.Node)
}

// defaulter is a type whose default is not its zero value.
type defaulter interface{ setDefaults() }

const (
	maxNodes = 200_000 // of a file; an alias counts each time that it is used
	// To bound memory as well, each pathUnit bytes of a path and each sizeUnit bytes of the
	// entries of a list count as one more value.
	pathUnit, sizeUnit = 128, 128
)

// count counts values before they are read, and reports whether the file is still within
// its bounds.
func (d *decoder) count(n *yaml.Node, path string, values int) bool {
	before := d.nodes
	d.nodes = min(d.nodes+values, maxNodes+1)
	if d.nodes <= maxNodes {
		return true
	}
	if before <= maxNodes {
		d.failAt(n, excerpt.Of(path, 200), "", fmt.Sprintf("the file has more than %d values, or they are too large", maxNodes), "make the file smaller, or use fewer aliases")
	}
	return false
}

// fail records a mistake at a path, with the line of the nearest path that was read.
func (d *decoder) fail(path, value, problem, remedy string) {
	for p := path; p != ""; p = parent(p) {
		if d.unread[p] {
			return
		}
	}
	d.failAtLine(d.line(path), path, value, problem, remedy)
}

// failAt records that a node cannot be read.
func (d *decoder) failAt(n *yaml.Node, path, value, problem, remedy string) {
	d.unread[path] = true
	d.failAtLine(n.Line, path, value, problem, remedy)
}

// failAtLine records a mistake, without a value that may be a secret.
func (d *decoder) failAtLine(line int, path, value, problem, remedy string) {
	d.errors = append(d.errors, Error{File: d.file, Line: line, Path: path, Value: shown(path, value), Problem: problem, Remedy: remedy})
}

// parent is the path of the block or list that holds a path.
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

func (d *decoder) line(path string) int {
	for p := path; p != ""; p = parent(p) {
		if l, ok := d.lines[p]; ok {
			return l
		}
	}
	return 0
}

// decode reads a node into target.
func (d *decoder) decode(path string, n *yaml.Node, target reflect.Value, scalar bool) {
	if !d.count(n, path, 1+len(path)/pathUnit) {
		return
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.lines[path] = n.Line
	if c, ok := target.Addr().Interface().(custom); ok {
		c.decode(d, path, n)
		return
	}
	if target.Type() == reflect.TypeFor[*yaml.Node]() {
		d.keepLines(path, n, 0)
		target.Set(reflect.ValueOf(n))
		return
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return // a key without a value counts as absent
	}
	switch target.Kind() {
	case reflect.Pointer:
		target.Set(reflect.New(target.Type().Elem()))
		withDefaults(target)
		d.decode(path, n, target.Elem(), scalar)
	case reflect.Struct:
		d.object(path, n, target)
	case reflect.Slice:
		d.list(path, n, target)
	case reflect.Map:
		d.dictionary(path, n, target)
	default:
		d.value(path, n, target, scalar)
	}
}

func withDefaults(pointer reflect.Value) {
	if t, ok := pointer.Interface().(defaulter); ok {
		t.setDefaults()
	}
}

// pairs walks a mapping, and reports duplicate keys and keys that are not plain names.
func (d *decoder) pairs(path string, n *yaml.Node, what string, each func(key *yaml.Node, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.failAt(n, path, n.Value, "expected "+what+", found "+describe(path, n), "write {key: value} or indented keys")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			d.failAt(key, d.keyPath(path, key), key.Value, "a key must be a plain name", "write the keys out")
			continue
		}
		if first, twice := seen[key.Value]; twice {
			d.failAt(key, d.keyPath(path, key), key.Value, fmt.Sprintf("the key is given twice, first in line %d", first), "keep one")
			continue
		}
		seen[key.Value] = key.Line
		each(key, n.Content[i+1])
	}
}

// block walks a mapping that accepts the keys of a type, and reports every other key.
func (d *decoder) block(path string, n *yaml.Node, t reflect.Type, each func(k blockKey, value *yaml.Node)) {
	keys := keysOf(t)
	d.pairs(path, n, "a block of keys", func(key, value *yaml.Node) {
		i := slices.IndexFunc(keys, func(k blockKey) bool { return k.name == key.Value })
		if i < 0 {
			d.failAt(key, d.keyPath(path, key), key.Value, "there is no such key", expr.Suggest(key.Value, namesOf(keys)))
			return
		}
		each(keys[i], value)
	})
}

func (d *decoder) object(path string, n *yaml.Node, target reflect.Value) {
	d.block(path, n, target.Type(), func(k blockKey, value *yaml.Node) {
		d.decode(join(path, k.name), value, target.FieldByIndex(k.index), k.scalar)
	})
}

func (d *decoder) list(path string, n *yaml.Node, target reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.failAt(n, path, n.Value, "expected a list, found "+describe(path, n), "write [ … ] or lines that begin with -")
		return
	}
	if !d.count(n, path, len(n.Content)*int(target.Type().Elem().Size())/sizeUnit) {
		return
	}
	elements := reflect.MakeSlice(target.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		withDefaults(elements.Index(i).Addr())
		d.decode(fmt.Sprintf("%s[%d]", path, i), item, elements.Index(i), false)
	}
	target.Set(elements)
}

func (d *decoder) dictionary(path string, n *yaml.Node, target reflect.Value) {
	m := reflect.MakeMap(target.Type())
	entry := func(name string, value *yaml.Node) {
		v := reflect.New(target.Type().Elem())
		withDefaults(v)
		d.decode(join(path, name), value, v.Elem(), false)
		m.SetMapIndex(reflect.ValueOf(name).Convert(target.Type().Key()), v.Elem())
	}
	if isKeyed(target.Type()) {
		d.block(path, n, target.Type(), func(k blockKey, value *yaml.Node) { entry(k.name, value) })
	} else {
		d.pairs(path, n, "a block of keys", func(key, value *yaml.Node) { entry(key.Value, value) })
	}
	target.Set(m)
}

// value reads a scalar into one of Go's plain types.
func (d *decoder) value(path string, n *yaml.Node, target reflect.Value, scalar bool) {
	wrong := func(want, remedy string) {
		d.failAt(n, path, n.Value, "expected "+want+", found "+describe(path, n), remedy)
	}
	if n.Kind != yaml.ScalarNode {
		wrong(wanted(target.Kind()), "write one value")
		return
	}
	tag := n.ShortTag()
	switch target.Kind() {
	case reflect.String:
		if tag == "!!str" || tag == "!!timestamp" || scalar && tag != "!!binary" {
			target.SetString(n.Value)
			return
		}
		wrong("text", "put it in quotes")
	case reflect.Bool:
		if b, err := strconv.ParseBool(n.Value); err == nil && tag == "!!bool" {
			target.SetBool(b)
			return
		}
		wrong("true or false", "write true or false")
	case reflect.Int, reflect.Int64:
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil && tag == "!!int" {
			target.SetInt(i)
			return
		}
		wrong("a whole number", "write it without quotes and without a unit")
	case reflect.Float64:
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil && (tag == "!!int" || tag == "!!float") && f-f == 0 {
			target.SetFloat(f)
			return
		}
		wrong("a number", "write it without quotes and without a unit")
	}
}

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "text"
}

// keyPath returns the path of a key that is not read. In a confidential block, a key that
// does not look like one may be a secret.
func (d *decoder) keyPath(path string, key *yaml.Node) string {
	if isConfidential(path) && !keyPattern.MatchString(key.Value) {
		return join(path, "…")
	}
	return join(path, key.Value)
}

// describe describes the node at a path, for errors.
func describe(path string, n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a block of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	if isConfidential(path) && n.ShortTag() != "!!null" {
		return "a single value"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return n.Value
	case "!!null":
		return "nothing"
	}
	return "the text " + quoted(n.Value)
}

// keepLines records the lines of a tree that package request compiles.
func (d *decoder) keepLines(path string, n *yaml.Node, depth int) {
	if depth > 64 || !d.count(n, path, 1+len(path)/pathUnit) {
		return
	}
	d.lines[path] = n.Line
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			d.keepLines(path+"."+n.Content[i].Value, n.Content[i+1], depth+1)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if d.nodes > maxNodes {
				return
			}
			d.keepLines(fmt.Sprintf("%s[%d]", path, i), item, depth+1)
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
