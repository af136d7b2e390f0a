package expr

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// CEL counts the cost of a function after it has returned. The result of these functions can
// be many times as large as their arguments, so they compute its size first.
const (
	maxText   = 256 << 10 // bytes of a text; the bound of a request body
	maxPieces = 64 << 10  // entries of a list
)

var tooMuchText = types.NewErr("the result is longer than 256 KiB")

// boundedText replaces these functions of the strings library.
func boundedText() []cel.EnvOption {
	text, list := cel.StringType, cel.ListType(cel.StringType)
	return []cel.EnvOption{
		cel.Function("replace",
			cel.MemberOverload("string_replace_string_string", []*cel.Type{text, text, text}, text, cel.FunctionBinding(replace)),
			cel.MemberOverload("string_replace_string_string_int", []*cel.Type{text, text, text, cel.IntType}, text, cel.FunctionBinding(replace))),
		cel.Function("split",
			cel.MemberOverload("string_split_string", []*cel.Type{text, text}, list, cel.FunctionBinding(split)),
			cel.MemberOverload("string_split_string_int", []*cel.Type{text, text, cel.IntType}, list, cel.FunctionBinding(split))),
		cel.Function("join",
			cel.MemberOverload("list_join", []*cel.Type{list}, text, cel.FunctionBinding(join)),
			cel.MemberOverload("list_join_string", []*cel.Type{list, text}, text, cel.FunctionBinding(join))),
	}
}

// replace implements text.replace(old, new) and text.replace(old, new, most).
func replace(args ...ref.Val) ref.Val {
	s, old, to := string(args[0].(types.String)), string(args[1].(types.String)), string(args[2].(types.String))
	most := limitOf(args, 3)
	count := strings.Count(s, old)
	if most >= 0 && most < int64(count) {
		count = int(most)
	}
	if len(s)+count*(len(to)-len(old)) > maxText {
		return tooMuchText
	}
	return types.String(strings.Replace(s, old, to, count))
}

// split implements text.split(separator) and text.split(separator, most).
func split(args ...ref.Val) ref.Val {
	s, separator := string(args[0].(types.String)), string(args[1].(types.String))
	most := limitOf(args, 2)
	if (most < 0 || most > maxPieces) && strings.Count(s, separator) >= maxPieces {
		return types.NewErr("the result has more than %d entries", maxPieces)
	}
	if most < 0 {
		most = -1
	}
	return types.DefaultTypeAdapter.NativeToValue(strings.SplitN(s, separator, int(min(most, maxPieces+1))))
}

// join implements list.join() and list.join(separator).
func join(args ...ref.Val) ref.Val {
	separator := ""
	if len(args) > 1 {
		separator = string(args[1].(types.String))
	}
	list := args[0].(traits.Lister)
	n := int(list.Size().(types.Int))
	parts, size := make([]string, 0, min(n, maxPieces)), 0
	for i := range n {
		part, ok := list.Get(types.Int(i)).(types.String)
		if !ok {
			return types.NewErr("join: an entry is not text")
		}
		if i > 0 {
			size += len(separator)
		}
		if size += len(part); size > maxText {
			return tooMuchText
		}
		parts = append(parts, string(part))
	}
	return types.String(strings.Join(parts, separator))
}

// limitOf returns the optional last argument of a function, a negative number for none.
func limitOf(args []ref.Val, at int) int64 {
	if len(args) <= at {
		return -1
	}
	return int64(args[at].(types.Int))
}
