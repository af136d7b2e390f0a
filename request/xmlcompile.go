package request

import (
	"fmt"
	"strings"

	"segue/expr"

	"go.yaml.in/yaml/v3"
)

func (p *problems) compileXML(s *XML) body {
	w := &treeWalk{problems: p}
	p.plain("xml.namespace", s.Namespace, "a namespace")
	if !isXMLName(s.Root) {
		p.add("xml.root", s.Root, "this is not a name for an XML element", "write root: Call")
	}
	return &xmlBody{w.document("xml.body", s.Root, s.Namespace, s.Body)}
}

func (p *problems) compileSOAP(s *SOAP) body {
	w := &treeWalk{problems: p}
	b := &soapBody{version: s.Version, action: s.Action}
	if s.Version == "" {
		b.version = "1.1"
	}
	if envelopes[b.version] == "" {
		p.add("soap.version", s.Version, fmt.Sprintf("%q is not a version of SOAP", s.Version), `use "1.1" or "1.2"`)
	}
	if !isXMLName(s.Operation) {
		p.add("soap.operation", s.Operation, "this is not a name for an XML element", "write the operation of the service")
	}
	if _, bad := control(s.Action); bad || strings.ContainsAny(s.Action, "\"\t") {
		p.add("soap.action", s.Action, "the action contains a quote or a control character", "write the URI of the action")
	}
	p.plain("soap.action", s.Action, "an action")
	p.plain("soap.namespace", s.Namespace, "a namespace")
	for _, name := range []struct{ path, value string }{{"soap.service", s.Service}, {"soap.port", s.Port}} {
		if name.value != "" && (!isXMLName(name.value) || strings.Contains(name.value, ":")) {
			p.add(name.path, name.value, "this is not a name that a WSDL can contain", "write it as in the WSDL, or remove it")
		}
	}
	if s.Header != nil {
		b.header = w.document("soap.header", "soap:Header", "", s.Header)
		p.withoutPassword("soap.header", b.header)
	}
	b.operation = w.document("soap.body", s.Operation, s.Namespace, s.Body)
	return b
}

// withoutPassword refuses the password of WS-Security: like every body, it would be in the
// history of each delivery.
func (p *problems) withoutPassword(path string, e *element) {
	for _, child := range e.children {
		at := path + "." + child.name
		if _, local, _ := strings.Cut(child.name, ":"); strings.EqualFold(local, "Password") || strings.EqualFold(child.name, "Password") {
			p.add(at, "", "a password here would be in the history of every delivery", "use auth: basic or mtls, or let a proxy in front of the service add it")
		}
		p.withoutPassword(at, child)
	}
}

// document compiles the root element, which declares the namespace of all elements in it.
func (w *treeWalk) document(path, name, namespace string, n *yaml.Node) *element {
	e := &element{name: name}
	if namespace != "" {
		e.attributes = append(e.attributes, pair{name: "xmlns", leaf: leaf{path: path, parts: []part{{literal: namespace}}}})
	}
	if n != nil {
		w.content(e, path, n, 0)
	}
	return e
}

// content compiles the content of an element.
func (w *treeWalk) content(e *element, path string, n *yaml.Node, depth int) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if !w.enter(path, depth) {
		return
	}
	switch n.Kind {
	case yaml.ScalarNode:
		if n.ShortTag() != "!!null" {
			e.text = w.compileLeaf(path, n.Value, expr.InBody)
		}
	case yaml.SequenceNode:
		w.add(path, "", "a list repeats an element, and there is none to repeat here", "put the list under the name of an element")
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			w.member(e, path, n.Content[i], n.Content[i+1], depth)
		}
	}
}

// member adds one key of a mapping: an attribute, the text, or child elements.
func (w *treeWalk) member(e *element, path string, key, value *yaml.Node, depth int) {
	at := path + "." + key.Value
	if !w.plainKey(at, key) {
		return
	}
	name, isAttribute := strings.CutPrefix(key.Value, "@")
	switch {
	case key.Value == "#text" && value.Kind == yaml.ScalarNode:
		e.text = w.compileLeaf(at, value.Value, expr.InBody)
		return
	case !isXMLName(name):
		w.add(at, key.Value, "this is not a name for an XML element", `use letters, digits, - and _, "@name" for an attribute or "#text"`)
		return
	case isAttribute && value.Kind == yaml.ScalarNode:
		e.attributes = append(e.attributes, pair{name: name, leaf: *w.compileLeaf(at, value.Value, expr.InBody)})
		return
	case isAttribute:
		w.add(at, "", "an attribute has one value", "write a string")
		return
	}
	values := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		values = value.Content
	}
	for i, v := range values {
		child := &element{name: key.Value}
		if value.Kind == yaml.SequenceNode {
			w.content(child, fmt.Sprintf("%s[%d]", at, i), v, depth+1)
		} else {
			w.content(child, at, v, depth+1)
		}
		e.children = append(e.children, child)
	}
}
