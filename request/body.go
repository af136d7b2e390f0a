package request

import (
	"fmt"
	"net/url"
	"sync"

	"segue/expr"

	"go.yaml.in/yaml/v3"
)

// pool holds the buffers that bodies are written into.
type pool struct{ sync.Pool }

var buffers = pool{sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}}

func (p *pool) get() *[]byte { return p.Get().(*[]byte) }

func (p *pool) put(b *[]byte) {
	if cap(*b) <= 64<<10 { // a large one would stay in memory
		p.Put(b)
	}
}

// textBody is a body of plain text.
type textBody struct{ leaf *leaf }

func (b *textBody) contentType() string { return "text/plain; charset=utf-8" }

func (b *textBody) append(r *rendering, dst []byte) ([]byte, error) {
	for i := range b.leaf.parts {
		text, _, err := r.resolve(b.leaf.path, &b.leaf.parts[i])
		if err != nil {
			return dst, err
		}
		if dst = append(dst, text...); len(dst) > MaxBody {
			return dst, tooLarge("text", MaxBody)
		}
	}
	return dst, nil
}

// formBody is a list of fields, application/x-www-form-urlencoded.
type formBody struct{ fields []pair }

func (b *formBody) contentType() string { return "application/x-www-form-urlencoded" }

func (b *formBody) append(r *rendering, dst []byte) ([]byte, error) {
	err := r.parameters(b.fields, func(name, text string) error {
		if len(dst) > 0 {
			dst = append(dst, '&')
		}
		dst = append(append(dst, name...), '=')
		if dst = append(dst, url.QueryEscape(text)...); len(dst) > MaxBody {
			return tooLarge("form", MaxBody)
		}
		return nil
	})
	return dst, err
}

// jsonBody is a tree whose constant parts are encoded already.
type jsonBody struct{ root *jsonNode }

// jsonNode is constant bytes, a leaf, an object or an array.
type jsonNode struct {
	constant []byte
	leaf     *leaf
	entries  []jsonEntry
	items    []*jsonNode
	open     byte // '{' or '[' of an object or array that is not constant
}

type jsonEntry struct {
	key  []byte // with quotes and colon
	node *jsonNode
}

func (b *jsonBody) contentType() string { return "application/json" }

func (b *jsonBody) append(r *rendering, dst []byte) ([]byte, error) {
	dst, absent, err := b.root.append(r, dst)
	if absent && err == nil {
		dst = append(dst, "null"...)
	}
	return dst, err
}

func (n *jsonNode) append(r *rendering, dst []byte) (_ []byte, absent bool, err error) {
	switch {
	case n.constant != nil:
		return append(dst, n.constant...), false, nil
	case n.leaf != nil:
		return n.appendLeaf(r, dst)
	}
	start := len(dst)
	for i := range n.entries {
		mark := len(dst)
		dst = appendSeparator(dst, start, n.open)
		dst = append(dst, n.entries[i].key...)
		if dst, absent, err = n.entries[i].node.append(r, dst); err != nil {
			return dst, false, err
		}
		if absent {
			dst = dst[:mark]
		}
	}
	for _, item := range n.items {
		mark := len(dst)
		dst = appendSeparator(dst, start, n.open)
		if dst, absent, err = item.append(r, dst); err != nil {
			return dst, false, err
		}
		if absent {
			dst = dst[:mark]
		}
	}
	if len(dst) == start {
		dst = append(dst, n.open)
	}
	return append(dst, n.open+2), false, nil // '{'+2 is '}', '['+2 is ']'
}

// appendSeparator opens an object or array, or separates its next entry.
func appendSeparator(dst []byte, start int, open byte) []byte {
	if len(dst) == start {
		return append(dst, open)
	}
	return append(dst, ',')
}

func (n *jsonNode) appendLeaf(r *rendering, dst []byte) (_ []byte, absent bool, err error) {
	if p := n.leaf.whole(); p != nil {
		v, absent, err := r.value(n.leaf.path, p)
		switch {
		case err != nil:
			return dst, false, err
		case absent:
			return r.appendAbsent(dst)
		}
		if dst, err = expr.AppendJSON(dst, v); err != nil {
			return dst, false, &Fault{n.leaf.path, p.source, err.Error()}
		}
	} else {
		text, absent, err := r.text(n.leaf)
		switch {
		case err != nil:
			return dst, false, err
		case absent:
			return r.appendAbsent(dst)
		}
		dst = expr.AppendString(dst, text)
	}
	if len(dst) > MaxBody {
		return dst, false, tooLarge(n.leaf.path, MaxBody)
	}
	return dst, false, nil
}

// appendAbsent writes a value that does not exist: null, or nothing under the policy omit.
func (r *rendering) appendAbsent(dst []byte) ([]byte, bool, error) {
	if r.missing == MissingOmit {
		return dst, true, nil
	}
	return append(dst, "null"...), false, nil
}

func (p *problems) compileJSON(n *yaml.Node) body {
	w := &treeWalk{problems: p}
	return &jsonBody{w.json("json", n, 0)}
}

// treeWalk compiles the tree of one body and bounds its nodes. An alias counts each time
// that it is used.
type treeWalk struct {
	*problems
	nodes int
	full  bool
}

// enter counts a node. It returns false once the tree is too large, and reports that once.
func (w *treeWalk) enter(path string, depth int) bool {
	w.nodes++
	switch {
	case w.full:
		return false
	case depth > MaxDepth:
		w.add(path, "", fmt.Sprintf("the body is nested more than %d levels deep", MaxDepth), "make it flatter")
	case w.nodes > 4*MaxLeaves:
		w.add(path, "", fmt.Sprintf("the body has more than %d nodes", 4*MaxLeaves), "make it smaller")
	default:
		return true
	}
	w.full = true
	return false
}
