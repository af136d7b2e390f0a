package expr

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// Uses lists what the expression reads, as "user_data.tier" or "agent.id", sorted.
func (p *Program) Uses() []string { return p.uses }

// usesOf walks an expression for selections on its variables.
func usesOf(tree *ast.AST) []string {
	var uses []string
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		var operand ast.Expr
		var name string
		switch e.Kind() {
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
		}
	}))
	slices.Sort(uses)
	return slices.Compact(uses)
}

// ElementUses is Uses for a data element.
func ElementUses(name string) []string {
	switch name {
	case "agent_disposition", "outbound_disposition", "agent_notes":
		return []string{"disposition.code"}
	case "call_end":
		return []string{"interaction.ended_at"}
	case "call_result":
		return []string{"interaction.outcome"}
	}
	if strings.HasPrefix(name, "agent_") && name != "agent_duration" && name != "agent_wrap_time" {
		return []string{"agent.id"}
	}
	if _, ok := elements[name]; ok {
		return []string{"#" + name}
	}
	return nil
}
