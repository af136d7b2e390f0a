package request

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"

	"segue/expr"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// xmlBody is a document of elements under one root.
type xmlBody struct{ root *element }

// soapBody is an envelope with one operation.
type soapBody struct {
	version, action string
	header          *element // nil if there is none
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

// append writes the element: once, once for each value of a list, or not at all when its
// text has no value and the call leaves such elements out.
func (e *element) append(r *rendering, dst []byte) ([]byte, error) {
	mark := len(dst)
	dst, err := e.appendStart(r, dst)
	if err != nil {
		return dst, err
	}
	if e.text != nil {
		text, err := r.content(e.text)
		switch {
		case err != nil:
			return dst, err
		case text.absent && r.missing == MissingOmit:
			return dst[:mark], nil
		case text.list() != nil && len(e.attributes) == 0:
			return e.appendRepeated(dst[:mark], text.list())
		}
		if dst, err = e.appendContent(dst, text); err != nil {
			return dst, err
		}
	}
	for _, child := range e.children {
		if dst, err = child.append(r, dst); err != nil {
			return dst, err
		}
	}
	return appendEndTag(dst, e.name), nil
}

// appendStart writes the start tag with the attributes.
func (e *element) appendStart(r *rendering, dst []byte) ([]byte, error) {
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
	return append(dst, '>'), nil
}

// content is what the text of an element is for one event: the value of its only
// expression, or a text of several parts.
type content struct {
	value  ref.Val // nil for a text
	text   string
	absent bool
}

func (r *rendering) content(l *leaf) (c content, err error) {
	if whole := l.whole(); whole != nil {
		c.value, c.absent, err = r.value(l.path, whole)
	} else {
		c.text, c.absent, err = r.text(l)
	}
	return c, err
}

// list returns the value if it is a list, else nil.
func (c content) list() traits.Lister {
	list, _ := c.value.(traits.Lister)
	return list
}

// appendContent writes the content between the tags; a value that does not exist is empty.
func (e *element) appendContent(dst []byte, c content) ([]byte, error) {
	switch {
	case c.value == nil:
		return appendXMLText(dst, e.text.path, c.text)
	case c.absent:
		return dst, nil
	}
	return appendXMLValue(dst, e.text.path, e.text.whole().source, c.value, 0)
}

// appendRepeated writes the element once for each value of a list.
func (e *element) appendRepeated(dst []byte, list traits.Lister) (_ []byte, err error) {
	for i := types.Int(0); i < list.Size().(types.Int); i++ {
		dst = appendStartTag(dst, e.name)
		if dst, err = appendXMLValue(dst, e.text.path, e.text.whole().source, list.Get(i), 0); err != nil {
			return dst, err
		}
		dst = appendEndTag(dst, e.name)
	}
	return dst, nil
}

func appendStartTag(dst []byte, name string) []byte {
	return append(append(append(dst, '<'), name...), '>')
}

func appendEndTag(dst []byte, name string) []byte {
	return append(append(append(dst, "</"...), name...), '>')
}

// appendXMLValue writes the value of an expression. A map is written as elements, in the
// order of its keys. A key that is not an XML name, such as the question of a survey, is
// changed into one.
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
		dst = appendStartTag(dst, name)
		if dst, err = appendXMLValue(dst, path, source, values[key], depth+1); err != nil {
			return dst, err
		}
		dst = appendEndTag(dst, name)
	}
	return dst, nil
}

// appendXMLText escapes a text. A character that XML 1.0 cannot contain is a fault:
// a receiver would read something else.
func appendXMLText(dst []byte, path, text string) ([]byte, error) {
	for _, c := range text {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF {
			return dst, &Fault{Path: path, Reason: fmt.Sprintf("XML cannot contain the character %U", c)}
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
