package expr

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/interpreter"
)

// Bounds of an expression.
const (
	maxSource = 4096 // code points
	maxNodes  = 2000
	// maxCost bounds the cost of one evaluation, in CEL's units (about ten milliseconds). An
	// expression that may cost more is metered while it runs.
	maxCost = 200_000
	// assumedSize is the largest size of a value that the estimate assumes, in characters or
	// elements.
	assumedSize = 4096
)

// Place is where an expression is used, which decides which variables it can use.
type Place int

// The places of an expression.
const (
	InBody   Place = iota // everything but delivery
	InHeader              // everything
)

// Program is one compiled expression.
type Program struct {
	source  string
	program cel.Program
	// path is true for a plain path (agent.id): any failure is then a missing value. optional
	// is true if the path ends in a declared fact, which is missing if it is empty.
	path, optional bool
	uses           []string
}

// Error describes what is wrong with an expression.
type Error struct {
	Expr string
	// Column is the place in the scanned text, in characters from 1.
	Column  int
	Problem string
	Remedy  string
}

func (e *Error) Error() string {
	s := fmt.Sprintf("column %d: %s", e.Column, e.Problem)
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// environments builds the CEL environments once: they are expensive and immutable.
var environments = sync.OnceValues(func() (map[Place]*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	p := provider{registry}
	options := []cel.EnvOption{
		cel.CustomTypeProvider(p), cel.CustomTypeAdapter(p),
		cel.OptionalTypes(), ext.Strings(), ext.Encoders(), ext.Math(),
		cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxSource), cel.ParserRecursionLimit(50),
		cel.ExpressionNodeLimit(maxNodes), cel.RegexProgramSizeLimit(1000),
	}
	for _, v := range variables {
		if v.name != "delivery" {
			options = append(options, cel.Variable(v.name, v.kind))
		}
	}
	body, err := cel.NewEnv(append(options, boundedText()...)...)
	if err != nil {
		return nil, err
	}
	header, err := body.Extend(cel.Variable("delivery", cel.ObjectType("segue.Delivery")))
	if err != nil {
		return nil, err
	}
	return map[Place]*cel.Env{InBody: body, InHeader: header}, nil
})

// Compile checks an expression and returns it ready to evaluate. The error is an *Error.
func Compile(source string, place Place) (*Program, error) {
	p, _, err := compile(source, place)
	return p, err
}

// CompileCondition is Compile for an expression whose result must be true or false.
func CompileCondition(source string) (*Program, error) {
	p, kind, err := compile(source, InBody)
	if err != nil {
		return nil, err
	}
	if !kind.IsExactType(cel.BoolType) && !kind.IsExactType(cel.DynType) {
		return nil, &Error{Expr: source, Column: 1, Problem: fmt.Sprintf("the result of the condition is %s, not true or false", kind),
			Remedy: `write a comparison, such as == "x"`}
	}
	return p, nil
}

func compile(source string, place Place) (*Program, *cel.Type, error) {
	if strings.TrimSpace(source) == "" {
		return nil, nil, &Error{Expr: source, Column: 1, Problem: "the expression is empty"}
	}
	envs, err := environments()
	if err != nil {
		return nil, nil, fmt.Errorf("expr: environment: %w", err)
	}
	env := envs[place]
	tree, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, nil, explain(source, place, issues)
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	estimate, err := env.EstimateCost(tree, sizes{})
	if err != nil {
		return nil, nil, &Error{Expr: source, Column: 1, Problem: "its cost cannot be estimated: " + err.Error()}
	}
	if estimate.Min > maxCost {
		return nil, nil, &Error{Expr: source, Column: 1,
			Problem: fmt.Sprintf("the expression costs at least %d, more than %d", estimate.Min, uint64(maxCost))}
	}
	if estimate.Max > maxCost {
		options = append(options, cel.CostLimit(maxCost))
	}
	program, err := env.Program(tree, options...)
	if err != nil {
		return nil, nil, &Error{Expr: source, Column: 1, Problem: err.Error()}
	}
	p := &Program{source: source, program: program}
	p.path, p.optional = pathOf(tree.NativeRep())
	p.uses = usesOf(tree.NativeRep())
	return p, tree.OutputType(), nil
}

// sizes gives the cost estimate the size of data.
type sizes struct{}

func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	if n.ComputedSize() != nil {
		return nil
	}
	return &cost.SizeEstimate{Min: 0, Max: assumedSize}
}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// pathOf reports whether an expression is a plain path of names, and whether the path ends
// in a declared fact.
func pathOf(tree *ast.AST) (path, optional bool) {
	e := tree.Expr()
	if e.Kind() == ast.SelectKind && !e.AsSelect().IsTestOnly() {
		s := e.AsSelect()
		if o, ok := declared[tree.GetType(s.Operand().ID()).TypeName()]; ok {
			_, optional = o.fields[s.FieldName()]
		}
	}
	for e.Kind() == ast.SelectKind && !e.AsSelect().IsTestOnly() {
		e = e.AsSelect().Operand()
	}
	return e.Kind() == ast.IdentKind, optional && e.Kind() == ast.IdentKind
}

// Eval returns the value of the expression, or ErrMissing.
func (p *Program) Eval(scope *Scope) (ref.Val, error) {
	v, _, err := p.program.Eval(scope)
	if err != nil {
		if p.path || isMissing(err) {
			return nil, ErrMissing
		}
		return nil, errors.New(withoutData(err))
	}
	switch t := v.(type) {
	case types.String:
		if p.optional && t == "" {
			return nil, ErrMissing
		}
	case types.Null:
		return nil, ErrMissing
	case *types.Optional:
		if !t.HasValue() || t.GetValue() == types.NullValue {
			return nil, ErrMissing
		}
		return t.GetValue(), nil
	case *types.Unknown:
		return nil, ErrMissing
	}
	return v, nil
}

// True evaluates a condition. A missing value makes it false.
func (p *Program) True(scope *Scope) (bool, error) {
	v, err := p.Eval(scope)
	switch {
	case errors.Is(err, ErrMissing):
		return false, nil
	case err != nil:
		return false, err
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, fmt.Errorf("the result of the condition is %s, not true or false", v.Type().TypeName())
	}
	return bool(b), nil
}

// Source returns the expression as it is written.
func (p *Program) Source() string { return p.source }

func isMissing(err error) bool {
	if errors.Is(err, ErrMissing) {
		return true
	}
	s := err.Error()
	return strings.HasPrefix(s, "no such key") || strings.HasPrefix(s, "no such attribute") ||
		strings.HasPrefix(s, "index out of bounds")
}

// withoutData returns an evaluation error without the data that CEL quotes in it: errors are
// logged, and data may be personal.
func withoutData(err error) string {
	if cancelled, ok := errors.AsType[interpreter.EvalCancelledError](err); ok && cancelled.Cause == interpreter.CostLimitExceeded {
		return fmt.Sprintf("stopped: it costs more than %d", uint64(maxCost))
	}
	s := err.Error()
	if i := strings.IndexAny(s, `:"`); i > 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}
