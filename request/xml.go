package request

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"segue/expr"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"go.yaml.in/yaml/v3"
)

// xmlBody is a document of elements under one root.
type xmlBody struct{ root *element }

// soapBody is an envelope around one operation.
type soapBody struct {
	version, action string
	header          *element // nil without one
	operation       *element
}

// The namespaces of the envelope, by SOAP version.
var envelopes = map[string]string{
	"1.1": "http://schemas.xmlsoap.org/soap/envelope/",
	"1.2": "http://www.w3.org/2003/05/soap-envelope",
}

// element is an XML element: attributes, then text or children.
type element struct {
	name       string
	attributes []pair
	text       *leaf
	children   []*element
}

func (b *xmlBody) contentType() string { return "application/xml; charset=utf-8" }

func (b *xmlBody) append(r *rendering, dst []byte) ([]byte, error) {
	return b.root.append(r, append(dst, xml.Header[:len(xml.Header)-1]...))
}

func (b *soapBody) contentType() string {
	if b.version == "1.2" {
		t := "application/soap+xml; charset=utf-8"
		if b.action != "" {
			t += `; action="` + b.action + `"`
		}
		return t
	}
	return "text/xml; charset=utf-8"
}

func (b *soapBody) append(r *rendering, dst []byte) ([]byte, error) {
	dst = append(dst, xml.Header[:len(xml.Header)-1]...)
	dst = append(dst, `<soap:Envelope xmlns:soap="`+envelopes[b.version]+`">`...)
	if b.header != nil {
		var err error
		if dst, err = b.header.append(r, dst); err != nil {
			return dst, err
		}
	}
	dst, err := b.operation.append(r, append(dst, `<soap:Body>`...))
	return append(dst, `</soap:Body></soap:Envelope>`...), err
}

func (e *element) append(r *rendering, dst []byte) (_ []byte, err error) {
	mark := len(dst)
	dst = append(append(dst, '<'), e.name...)
	for i := range e.attributes {
		a := &e.attributes[i]
		text, absent, err := r.text(&a.leaf)
		if err != nil {
			return dst, err
		}
		if absent && r.missing == MissingOmit {
			continue
		}
		dst = append(append(append(dst, ' '), a.name...), `="`...)
		if dst, err = appendXMLText(dst, a.leaf.path, text); err != nil {
			return dst, err
		}
		dst = append(dst, '"')
	}
	dst = append(dst, '>')
	switch {
	case e.text != nil && e.text.whole() != nil:
		p := e.text.whole()
		v, absent, err := r.value(e.text.path, p)
		if err != nil {
			return dst, err
		}
		if l, ok := v.(traits.Lister); ok && !absent && len(e.attributes) == 0 {
			return e.appendRepeated(dst[:mark], p, l)
		}
		if absent && r.missing == MissingOmit {
			return dst[:mark], nil
		}
		if !absent {
			if dst, err = appendXMLValue(dst, e.text.path, p.source, v, 0); err != nil {
				return dst, err
			}
		}
	case e.text != nil:
		text, absent, err := r.text(e.text)
		if err != nil {
			return dst, err
		}
		if absent && r.missing == MissingOmit {
			return dst[:mark], nil
		}
		if dst, err = appendXMLText(dst, e.text.path, text); err != nil {
			return dst, err
		}
	}
	for _, child := range e.children {
		if dst, err = child.append(r, dst); err != nil {
			return dst, err
		}
	}
	return append(append(append(dst, "</"...), e.name...), '>'), nil
}

// appendRepeated writes the element once for each value of a list.
func (e *element) appendRepeated(dst []byte, p *part, l traits.Lister) (_ []byte, err error) {
	for i := types.Int(0); i < l.Size().(types.Int); i++ {
		dst = append(append(append(dst, '<'), e.name...), '>')
		if dst, err = appendXMLValue(dst, e.text.path, p.source, l.Get(i), 0); err != nil {
			return dst, err
		}
		dst = append(append(append(dst, "</"...), e.name...), '>')
	}
	return dst, nil
}

// appendXMLValue writes a value of an expression: a map as elements, in the order of
// its keys. A key that XML cannot name, such as a survey's question, becomes a name.
func appendXMLValue(dst []byte, path, source string, v ref.Val, depth int) ([]byte, error) {
	m, ok := v.(traits.Mapper)
	if !ok || depth > MaxDepth {
		if v == types.NullValue {
			return dst, nil
		}
		text, err := expr.Text(v)
		if err != nil {
			return dst, &Fault{path, source, err.Error()}
		}
		return appendXMLText(dst, path, text)
	}
	values := map[string]ref.Val{}
	var keys []string
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		text, err := expr.Text(key)
		if err != nil {
			return dst, &Fault{path, source, err.Error()}
		}
		keys = append(keys, text)
		values[text] = m.Get(key)
	}
	slices.Sort(keys)
	var err error
	for _, key := range keys {
		name := xmlNameOf(key)
		dst = append(append(append(dst, '<'), name...), '>')
		if dst, err = appendXMLValue(dst, path, source, values[key], depth+1); err != nil {
			return dst, err
		}
		dst = append(append(append(dst, "</"...), name...), '>')
	}
	return dst, nil
}

// appendXMLText escapes a text. A character that XML 1.0 cannot carry is a fault:
// a receiver would read something else.
func appendXMLText(dst []byte, path, text string) ([]byte, error) {
	for _, c := range text {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF {
			return dst, &Fault{Path: path, Reason: fmt.Sprintf("XML cannot hold the character %U", c)}
		}
	}
	b := bytes.NewBuffer(dst)
	if err := xml.EscapeText(b, []byte(text)); err != nil {
		return dst, &Fault{Path: path, Reason: err.Error()}
	}
	if b.Len() > MaxBody {
		return dst, tooLarge(path, MaxBody)
	}
	return b.Bytes(), nil
}

func (p *problems) compileXML(s *XML) body {
	w := &treeWalk{problems: p}
	p.plain("xml.namespace", s.Namespace, "a namespace")
	if !isXMLName(s.Root) {
		p.add("xml.root", s.Root, "is not a name for an XML element", "write root: Call")
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
		p.add("soap.operation", s.Operation, "is not a name for an XML element", "write the operation of the service")
	}
	if _, bad := control(s.Action); bad || strings.ContainsAny(s.Action, "\"\t") {
		p.add("soap.action", s.Action, "the action has a quote or a control character", "write the URI of the action")
	}
	p.plain("soap.action", s.Action, "an action")
	p.plain("soap.namespace", s.Namespace, "a namespace")
	for _, name := range []struct{ path, value string }{{"soap.service", s.Service}, {"soap.port", s.Port}} {
		if name.value != "" && (!isXMLName(name.value) || strings.Contains(name.value, ":")) {
			p.add(name.path, name.value, "is not a name that a service's description has", "write it as the WSDL has it, or leave it out")
		}
	}
	if s.Header != nil {
		b.header = w.document("soap.header", "soap:Header", "", s.Header)
		p.withoutPassword("soap.header", b.header)
	}
	b.operation = w.document("soap.body", s.Operation, s.Namespace, s.Body)
	return b
}

// withoutPassword refuses WS-Security's password: as every body it would be in the
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

// document is the outermost element, which declares the namespace of all below it.
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

// content fills an element from a YAML value.
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
		w.add(path, "", "a list stands for an element that is repeated", "put it under the name of that element")
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
		w.add(at, key.Value, "is not a name for an XML element", `use letters, digits, - and _, "@name" for an attribute or "#text"`)
		return
	case isAttribute && value.Kind == yaml.ScalarNode:
		e.attributes = append(e.attributes, pair{name: name, leaf: *w.compileLeaf(at, value.Value, expr.InBody)})
		return
	case isAttribute:
		w.add(at, "", "an attribute is one value", "write a string")
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
