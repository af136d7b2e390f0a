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

// pair is a named leaf, its name escaped for where it goes. Without a name, its
// leaf gives an object that is spread.
type pair struct {
	name, escaped string
	leaf          leaf
}

// compilePairs compiles a list of query parameters or form fields.
func (p *problems) compilePairs(path string, list []Pair) []pair {
	if len(list) > MaxPairs {
		p.add(path, "", fmt.Sprintf("has %d entries, more than %d", len(list), MaxPairs), "leave some out")
		return nil
	}
	pairs := make([]pair, 0, len(list))
	for i, e := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		l := p.compileLeaf(at+".value", e.Value, expr.InBody)
		switch {
		case e.Name == "" && l.whole() == nil:
			p.add(at+".name", "", "a name is needed", "write {name: …, value: …}; or, to send each key of an object, {value: \"${survey}\"}")
		case strings.Contains(e.Name, "${"):
			p.add(at+".name", e.Name, "a name holds no expression", "put the expression into the value")
		}
		p.plain(at+".name", e.Name, "a name")
		pairs = append(pairs, pair{e.Name, url.QueryEscape(e.Name), *l})
	}
	return pairs
}

// parameters gives each parameter, in order, with its name escaped and its text not.
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

// spread gives the keys of an object, sorted, but for those that are given by name:
// data does not replace what the configuration says. Without an object there is
// nothing to give.
func (r *rendering) spread(pairs []pair, l *leaf, write func(name, text string) error) error {
	part := l.whole()
	v, absent, err := r.value(l.path, part)
	if err != nil || absent || v == types.String("") {
		return err
	}
	object, ok := v.(traits.Mapper)
	if !ok {
		return &Fault{l.path, part.source, "is no object, so that its keys cannot be sent"}
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

// member is one key of an object and the text of its value; null is empty.
func (r *rendering) member(key, v ref.Val) (name, text string, err error) {
	if name, err = expr.Text(key); err != nil || v == types.NullValue {
		return name, "", err
	}
	text, err = expr.Text(v)
	return name, r.mapped(text), err
}
