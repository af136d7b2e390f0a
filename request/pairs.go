package request

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"segue/expr"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// pair is a named leaf; escaped is its name for a URL or a form. Without a name, each key
// of the object that the leaf gives is sent.
type pair struct {
	name, escaped string
	leaf          leaf
}

// compilePairs compiles a list of query parameters or form fields.
func (p *problems) compilePairs(path string, list []Pair) []pair {
	if len(list) > MaxPairs {
		p.add(path, "", fmt.Sprintf("has %d entries, more than %d", len(list), MaxPairs), "remove some")
		return nil
	}
	pairs := make([]pair, 0, len(list))
	for i, e := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		l := p.compileLeaf(at+".value", e.Value, expr.InBody)
		switch {
		case e.Name == "" && l.whole() == nil:
			p.add(at+".name", "", "the name is missing", "write {name: …, value: …}; or, to send each key of an object, {value: \"${survey}\"}")
		case strings.Contains(e.Name, "${"):
			p.add(at+".name", e.Name, "a name cannot contain an expression", "put the expression into the value")
		}
		p.plain(at+".name", e.Name, "a name")
		pairs = append(pairs, pair{e.Name, url.QueryEscape(e.Name), *l})
	}
	return pairs
}

// parameters calls write for each parameter, in order, with its escaped name and its text.
func (r *rendering) parameters(pairs []pair, write func(name, text string) error) error {
	for i := range pairs {
		p := &pairs[i]
		if p.name == "" {
			if err := r.spread(pairs, &p.leaf, write); err != nil {
				return err
			}
			continue
		}
		text, absent, err := r.text(&p.leaf)
		if err != nil {
			return err
		}
		if absent && r.missing == MissingOmit {
			continue
		}
		if err := write(p.escaped, text); err != nil {
			return err
		}
	}
	return nil
}

// spread calls write for each key of an object, sorted, except for names that the
// configuration gives: data does not replace them. A missing object has no keys.
func (r *rendering) spread(pairs []pair, l *leaf, write func(name, text string) error) error {
	part := l.whole()
	v, absent, err := r.value(l.path, part)
	if err != nil || absent || v == types.String("") {
		return err
	}
	object, ok := v.(traits.Mapper)
	if !ok {
		return &Fault{l.path, part.source, "is not an object, and has no keys to send"}
	}
	texts := map[string]string{}
	for it := object.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, text, err := r.member(key, object.Get(key))
		if err != nil {
			return &Fault{l.path, part.source, err.Error()}
		}
		texts[name] = text
	}
	for _, p := range pairs {
		delete(texts, p.name)
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if err := write(url.QueryEscape(name), texts[name]); err != nil {
			return err
		}
	}
	return nil
}

// member returns a key of an object and the text of its value, empty for null.
func (r *rendering) member(key, v ref.Val) (name, text string, err error) {
	if name, err = expr.Text(key); err != nil || v == types.NullValue {
		return name, "", err
	}
	text, err = expr.Text(v)
	return name, r.mapped(text), err
}
