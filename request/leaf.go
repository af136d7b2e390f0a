package request

import (
	"errors"
	"strings"

	"segue/expr"
	"segue/interaction"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// part is one piece of a leaf: literal text, an expression, a data element, or the place
// of the attempt number in a header.
type part struct {
	literal string
	program *expr.Program
	element func(*expr.Scope) (string, bool)
	attempt bool
	// source is the part as it is written, for errors.
	source string
}

func (p *part) dynamic() bool { return p.program != nil || p.element != nil }

// leaf is one string of a call, compiled.
type leaf struct {
	path  string
	parts []part
}

// constant reports whether the leaf has the same text for every event.
func (l *leaf) constant() bool {
	return len(l.parts) == 0 || len(l.parts) == 1 && !l.parts[0].dynamic()
}

// whole returns the only part of a leaf that is one expression, nil for other leaves. Such
// a leaf keeps the type of its value.
func (l *leaf) whole() *part {
	if len(l.parts) == 1 && l.parts[0].program != nil {
		return &l.parts[0]
	}
	return nil
}

// compileLeaf compiles the expressions and data elements of a string.
func (p *problems) compileLeaf(path, s string, place expr.Place) *leaf {
	l := &leaf{path: path}
	pieces, err := expr.Scan(s)
	if err != nil {
		p.expression(path, s, 0, err)
		return l
	}
	for _, piece := range pieces {
		switch piece.Kind {
		case expr.Literal:
			l.parts = append(l.parts, part{literal: piece.Text})
		case expr.Expression:
			if place == expr.InHeader && strings.TrimSpace(piece.Text) == "delivery.attempt" {
				l.parts = append(l.parts, part{attempt: true})
				continue
			}
			program, err := expr.Compile(piece.Text, place)
			if err != nil {
				p.expression(path, s, expr.Column(s, piece.Offset)-1, err)
				continue
			}
			l.parts = append(l.parts, part{program: program, source: "${" + piece.Text + "}"})
		case expr.Tag:
			element, ok := expr.FindElement(piece.Text)
			if !ok {
				p.unknownElement(path, piece.Text)
				continue
			}
			l.parts = append(l.parts, part{element: element.Text, source: "#" + piece.Text + "#"})
		}
	}
	p.joined(l, s)
	return l
}

// joined refuses a text whose literal parts form a data element if the values between them
// are empty: no request contains an unresolved data element.
func (p *problems) joined(l *leaf, s string) {
	var literals strings.Builder
	for i := range l.parts {
		literals.WriteString(l.parts[i].literal)
	}
	if name, found := expr.TagIn(literals.String()); found && !l.constant() {
		p.add(l.path, s, "with empty values the text is #"+name+"#, which is a data element", `put a space between, or write # as ${"#"}`)
	}
}

// plain refuses a data element in a text in which none is replaced.
func (p *problems) plain(path, text, what string) {
	if name, found := expr.TagIn(text); found {
		p.add(path, text, what+" cannot contain a data element, and #"+name+"# would be sent as it is", "put it into a value")
	}
}

// unknownElement suggests the closest data element, and how to send other data.
func (p *problems) unknownElement(path, name string) {
	remedy := "for your own data write ${user_data." + name + `}, to send the text itself ${"#` + name + `#"}`
	if c := expr.ClosestElement(name); c != "" {
		remedy = "did you mean #" + c + "#? " + remedy
	}
	p.add(path, "#"+name+"#", "there is no data element #"+name+"#", remedy)
}

// rendering is the state of one Render.
type rendering struct {
	*Template
	scope expr.Scope
}

func newRendering(t *Template, id string, view *interaction.View, ev *interaction.Event) *rendering {
	return &rendering{Template: t, scope: expr.Scope{View: view, Event: ev, Delivery: expr.Delivery{ID: id}}}
}

// resolve returns the text of a part. absent reports that it does not exist and that the
// policy is omit or null. Parking and failures are errors.
func (r *rendering) resolve(path string, p *part) (text string, absent bool, err error) {
	switch {
	case p.program != nil:
		v, absent, err := r.value(path, p)
		if absent || err != nil {
			return "", absent, err
		}
		if s, ok := v.(types.String); ok {
			return string(s), false, nil // mapped by value
		}
		if text, err = expr.Text(v); err != nil {
			return "", false, &Fault{path, p.source, err.Error()}
		}
		return text, false, nil
	case p.element != nil:
		text, ok := p.element(&r.scope)
		if !ok {
			return r.lack(path, p)
		}
		return r.mapped(text), false, nil
	}
	return p.literal, false, nil
}

// value returns the typed value of an expression, after the mappings.
func (r *rendering) value(path string, p *part) (v ref.Val, absent bool, err error) {
	v, err = p.program.Eval(&r.scope)
	if errors.Is(err, expr.ErrMissing) {
		text, absent, err := r.lack(path, p)
		return types.String(text), absent, err
	}
	if err != nil {
		return nil, false, &Fault{path, p.source, err.Error()}
	}
	if len(r.mappings) > 0 {
		switch v.(type) {
		case types.String, types.Int, types.Uint, types.Double, types.Bool:
			text, err := expr.Text(v)
			if err != nil {
				return nil, false, &Fault{path, p.source, err.Error()}
			}
			if to := r.mapped(text); to != text {
				return types.String(to), false, nil
			}
		}
	}
	return v, false, nil
}

// lack applies the policy for missing values.
func (r *rendering) lack(path string, p *part) (string, bool, error) {
	switch r.missing {
	case MissingPark:
		return "", false, &Fault{path, p.source, expr.ErrMissing.Error()}
	case MissingOmit, MissingNull:
		return "", true, nil
	}
	return r.mapped(""), false, nil
}

// mapped returns the text that a mapping replaces a value by, else the value.
func (r *rendering) mapped(text string) string {
	for i := range r.mappings {
		if r.mappings[i].From == text {
			return r.mappings[i].To
		}
	}
	return text
}

// text returns the whole text of a leaf. absent reports that some part does not exist, so
// that the policy omit or null applies to the leaf.
func (r *rendering) text(l *leaf) (text string, absent bool, err error) {
	if len(l.parts) == 1 {
		return r.resolve(l.path, &l.parts[0])
	}
	var b strings.Builder
	for i := range l.parts {
		s, absent, err := r.resolve(l.path, &l.parts[i])
		if absent || err != nil {
			return "", absent, err
		}
		if b.Len()+len(s) > MaxBody {
			return "", false, tooLarge(l.path, MaxBody)
		}
		b.WriteString(s)
	}
	return b.String(), false, nil
}
