package request

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"segue/expr"

	"go.yaml.in/yaml/v3"
)

// json compiles a YAML tree, and encodes what is the same for every event.
func (w *treeWalk) json(path string, n *yaml.Node, depth int) *jsonNode {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if !w.enter(path, depth) {
		return &jsonNode{constant: []byte("null")}
	}
	switch n.Kind {
	case yaml.MappingNode:
		return w.jsonObject(path, n, depth)
	case yaml.SequenceNode:
		node := &jsonNode{open: '['}
		for i, item := range n.Content {
			node.items = append(node.items, w.json(fmt.Sprintf("%s[%d]", path, i), item, depth+1))
		}
		return node.folded()
	case yaml.ScalarNode:
		return w.jsonScalar(path, n)
	}
	return &jsonNode{constant: []byte("null")}
}

func (w *treeWalk) jsonObject(path string, n *yaml.Node, depth int) *jsonNode {
	node := &jsonNode{open: '{'}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := path + "." + key.Value
		if !w.plainKey(at, key) {
			continue
		}
		k := append(expr.AppendString(nil, key.Value), ':')
		node.entries = append(node.entries, jsonEntry{k, w.json(at, n.Content[i+1], depth+1)})
	}
	return node.folded()
}

// plainKey reports whether a key is plain text, without expressions and data elements.
func (w *treeWalk) plainKey(path string, key *yaml.Node) bool {
	switch {
	case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
		w.add(path, key.Value, "a key must be a plain name", "write the keys out")
	case strings.Contains(key.Value, "${"):
		w.add(path, key.Value, "a key cannot contain an expression", "put the expression into the value")
	default:
		w.plain(path, key.Value, "a key")
		return true
	}
	return false
}

// jsonScalar compiles a string with expressions, or a constant of a YAML type.
func (w *treeWalk) jsonScalar(path string, n *yaml.Node) *jsonNode {
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		l := w.compileLeaf(path, n.Value, expr.InBody)
		if l.constant() {
			return &jsonNode{constant: expr.AppendString(nil, n.Value)}
		}
		return &jsonNode{leaf: l}
	case "!!null":
		return &jsonNode{constant: []byte("null")}
	case "!!int", "!!float", "!!bool":
		var v any
		err := n.Decode(&v)
		if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			err = fmt.Errorf("JSON has no %s", n.Value)
		}
		if err == nil {
			if b, err := json.Marshal(v); err == nil {
				return &jsonNode{constant: b}
			}
		}
		w.add(path, n.Value, "JSON has no such number", "put it in quotes")
	default:
		w.add(path, n.Value, "JSON has no type "+n.ShortTag(), "write a string, number, true, false or null")
	}
	return &jsonNode{constant: []byte("null")}
}

// folded encodes an object or array of constants in advance.
func (n *jsonNode) folded() *jsonNode {
	for _, e := range n.entries {
		if e.node.constant == nil {
			return n
		}
	}
	for _, item := range n.items {
		if item.constant == nil {
			return n
		}
	}
	b, _, _ := n.append(nil, nil) // constants need no rendering and cannot fail
	return &jsonNode{constant: b}
}
