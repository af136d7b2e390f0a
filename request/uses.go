package request

import (
	"slices"
	"strings"
)

// Uses returns what the call reads of an interaction and an event, sorted: "user_data.tier"
// or "agent.id"; "#name" for a data element.
func (t *Template) Uses() []string {
	var uses []string
	leafUses := func(l *leaf) {
		for i := range l.parts {
			switch p := &l.parts[i]; {
			case p.program != nil:
				uses = append(uses, p.program.Uses()...)
			case p.element != nil:
				uses = append(uses, strings.TrimSuffix(p.source, "#"))
			}
		}
	}
	for i := range t.target.parts {
		leafUses(&leaf{parts: []part{t.target.parts[i].part}})
	}
	for _, pairs := range [][]pair{t.target.query, t.headers} {
		for i := range pairs {
			leafUses(&pairs[i].leaf)
		}
	}
	if t.body != nil {
		t.body.leaves(leafUses)
	}
	slices.Sort(uses)
	return slices.Compact(uses)
}

func (b *textBody) leaves(visit func(*leaf)) { visit(b.leaf) }

func (b *formBody) leaves(visit func(*leaf)) {
	for i := range b.fields {
		visit(&b.fields[i].leaf)
	}
}

func (b *jsonBody) leaves(visit func(*leaf)) { b.root.leaves(visit) }

func (n *jsonNode) leaves(visit func(*leaf)) {
	if n.leaf != nil {
		visit(n.leaf)
	}
	for _, e := range n.entries {
		e.node.leaves(visit)
	}
	for _, item := range n.items {
		item.leaves(visit)
	}
}

func (b *xmlBody) leaves(visit func(*leaf)) { b.root.leaves(visit) }
func (b *soapBody) leaves(visit func(*leaf)) {
	if b.header != nil {
		b.header.leaves(visit)
	}
	b.operation.leaves(visit)
}

func (e *element) leaves(visit func(*leaf)) {
	for i := range e.attributes {
		visit(&e.attributes[i].leaf)
	}
	if e.text != nil {
		visit(e.text)
	}
	for _, child := range e.children {
		child.leaves(visit)
	}
}
