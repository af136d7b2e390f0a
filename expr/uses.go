package expr

import (
	"maps"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// Uses returns what the expression reads, sorted: "user_data.tier", "agent.id", or "survey" if
// it reads the whole variable.
func (p *Program) Uses() []string { return p.uses }

// usesOf collects the variables of an expression and the selections on them.
func usesOf(tree *ast.AST) []string {
	var uses []string
	whole := map[int64]string{}
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		var operand ast.Expr
		var name string
		switch e.Kind() {
		case ast.IdentKind:
			if slices.Contains(variableNames(), e.AsIdent()) {
				whole[e.ID()] = e.AsIdent()
			}
		case ast.SelectKind:
			operand, name = e.AsSelect().Operand(), e.AsSelect().FieldName()
		case ast.CallKind:
			c := e.AsCall()
			if n := c.FunctionName(); (n == operators.Index || n == operators.OptIndex || n == operators.OptSelect) && len(c.Args()) == 2 &&
				c.Args()[1].Kind() == ast.LiteralKind {
				if s, ok := c.Args()[1].AsLiteral().(types.String); ok {
					operand, name = c.Args()[0], string(s)
				}
			}
		}
		if operand != nil && operand.Kind() == ast.IdentKind && slices.Contains(variableNames(), operand.AsIdent()) {
			uses = append(uses, operand.AsIdent()+"."+name)
			delete(whole, operand.ID())
		}
	}))
	uses = slices.AppendSeq(uses, maps.Values(whole))
	slices.Sort(uses)
	return slices.Compact(uses)
}
