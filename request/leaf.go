package request

import (
	"errors"
	"strings"

	"segue/expr"
	"segue/interaction"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// part is one piece of a leaf: literal text, an expression or a data element, or
// in a header the place of the attempt's number.
type part struct {
	literal string
	program *expr.Program
	element func(*expr.Scope) (string, bool)
	attempt bool
	// source is how the part was written, for errors.
	source string
}

func (p *part) dynamic() bool { return p.program != nil || p.element != nil }

// leaf is one string of a call, compiled.
type leaf struct {
	path  string
	parts []part
}

// constant tells whether the leaf says the same for every event.
func (l *leaf) constant() bool {
	return len(l.parts) == 0 || len(l.parts) == 1 && !l.parts[0].dynamic()
}

// whole is the program of a leaf that is one expression, which keeps its type.
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

// joined refuses a text whose literal parts would read as a data element when what
// stands between them is empty: no tag goes out.
func (p *problems) joined(l *leaf, s string) {
	var literals strings.Builder
	for i := range l.parts {
		literals.WriteString(l.parts[i].literal)
	}
	if name, found := expr.TagIn(literals.String()); found && !l.constant() {
		p.add(l.path, s, "without the values in it the text reads #"+name+"#, which is a data element", `put a blank between, or write # as ${"#"}`)
	}
}

// plain refuses a data element or an expression where neither is filled in. An
// expression is left to those who know what is meant by it.
func (p *problems) plain(path, text, what string) {
	if name, found := expr.TagIn(text); found {
		p.add(path, text, what+" holds no data element, and #"+name+"# would go out as it stands", "put it into a value")
	}
}

// unknownElement names the nearest element, and the ways to send something else.
func (p *problems) unknownElement(path, name string) {
	remedy := "for data of your own write ${user_data." + name + `}, to send the text itself ${"#` + name + `#"}`
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

// resolve gives the text of a part. absent says that it does not exist and that
// the policy is omit or null; parking and failures are errors.
func (r *rendering) resolve(path string, p *part) (text string, absent bool, err error) {
	switch {
	case p.program != nil:
		v, absent, err := r.value(path, p)
		if absent || err != nil {
			return "", absent, err
		}
		if s, ok := v.(types.String); ok {
			return string(s), false, nil // mapped already
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

// value gives the typed value of an expression, after the mappings.
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

// lack does what the call says about a missing value.
func (r *rendering) lack(path string, p *part) (string, bool, error) {
	switch r.missing {
	case MissingPark:
		return "", false, &Fault{path, p.source, expr.ErrMissing.Error()}
	case MissingOmit, MissingNull:
		return "", true, nil
	}
	return r.mapped(""), false, nil
}

// mapped replaces a value that a mapping names.
func (r *rendering) mapped(text string) string {
	for i := range r.mappings {
		if r.mappings[i].From == text {
			return r.mappings[i].To
		}
	}
	return text
}

// text is the whole text of a leaf. absent: some part does not exist, so that the
// policy omit or null applies to the leaf.
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
