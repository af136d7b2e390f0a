package request

import (
	"errors"
	"fmt"
	"strings"

	"segue/expr"
)

// Problem is one mistake in a configured call. Compile reports it.
type Problem struct {
	// Path is the place in the call: "json.customer.id", "headers[0].value".
	Path string
	// Value is the wrong value; it may be shortened.
	Value string
	// What describes the mistake, and Remedy what to write instead.
	What, Remedy string
}

func (p *Problem) Error() string {
	s := p.Path + ": " + p.What
	if p.Remedy != "" {
		s += "; " + p.Remedy
	}
	return s
}

// Fault is why a call could not be rendered for one event.
type Fault struct {
	// Path is the place in the call. Expr is the expression or data element that failed, if
	// one did.
	Path, Expr string
	Reason     string
}

func (f *Fault) Error() string {
	if f.Expr == "" {
		return fmt.Sprintf("render: %s: %s", f.Path, f.Reason)
	}
	return fmt.Sprintf("render: %s: %s: %s", f.Path, f.Expr, f.Reason)
}

// problems collects the mistakes of one call.
type problems struct{ list []error }

func (p *problems) add(path, value, what, remedy string) {
	p.list = append(p.list, &Problem{Path: path, Value: value, What: what, Remedy: remedy})
}

// expression adds a problem that the scanner or the type checker found.
func (p *problems) expression(path, value string, offset int, err error) {
	var e *expr.Error
	if !errors.As(err, &e) {
		p.add(path, value, err.Error(), "")
		return
	}
	what := fmt.Sprintf("column %d: %s", e.Column+offset, e.Problem)
	if source := strings.TrimSpace(e.Expr); source != "" {
		what = fmt.Sprintf("%s in ${%s}", what, source)
	}
	p.add(path, value, what, e.Remedy)
}

func (p *problems) err() error { return errors.Join(p.list...) }
