package expr_test

import (
	"strings"
	"testing"

	"segue/expr"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScan(t *testing.T) {
	cases := map[string][]string{ // L literal, E expression, T tag
		"":                       nil,
		"plain":                  {"Lplain"},
		"${a}":                   {"Ea"},
		"x${a}y":                 {"Lx", "Ea", "Ly"},
		"${a}${b}":               {"Ea", "Eb"},
		"${{'k': {'l': 1}}}":     {"E{'k': {'l': 1}}"},
		`${"}"}`:                 {`E"}"`},
		`${'\'}'}`:               {`E'\'}'`},
		`${r"\"}`:                {`Er"\"`},
		`${br'\'}`:               {`Ebr'\'`},
		`${xr"\""}`:              {`Exr"\""`},
		`${"""a"}"b"""}`:         {`E"""a"}"b"""`},
		"${a // }\n}":            {"Ea // }\n"},
		"${a / b}":               {"Ea / b"},
		"$ {a} $a {b}":           {"L$ {a} $a {b}"},
		"#ani#":                  {"Tani"},
		"a#ani#b":                {"La", "Tani", "Lb"},
		"#a b# #ani#":            {"L#a b# ", "Tani"},
		"##":                     {"L##"},
		"###ani##":               {"L##", "Tani", "L#"},
		"# 1":                    {"L# 1"},
		"#1#":                    {"L#1#"},
		"a#b":                    {"La#b"},
		"${a}#ani#":              {"Ea", "Tani"},
		`${"#ani#"}`:             {`E"#ani#"`},
		"#agent_1#ani#":          {"Tagent_1", "Lani#"},
		"${a}}":                  {"Ea", "L}"},
		"ü${ü}":                  {"Lü", "Eü"},
		"${a ? '{' : \"}\"} end": {"Ea ? '{' : \"}\"", "L end"},
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			pieces, err := expr.Scan(text)
			require.NoError(t, err)
			var got []string
			for _, p := range pieces {
				got = append(got, "LET"[p.Kind:p.Kind+1]+p.Text)
				assert.Equal(t, p.Text, text[p.Offset:p.Offset+len(p.Text)])
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestScanErrors(t *testing.T) {
	cases := map[string]string{
		"ab${":       "column 3: ${ has no closing }",
		"${a":        "column 1: ${ has no closing }",
		`${"a}`:      "column 3: the string is not closed",
		"${a // b }": "column 5: the comment has no end",
		"ä${'\n'}":   "column 4: the string is not closed",
	}
	for text, want := range cases {
		_, err := expr.Scan(text)
		assert.ErrorContains(t, err, want, text)
	}
}

// FuzzScan checks that the pieces of a text make up the text.
func FuzzScan(f *testing.F) {
	for _, s := range []string{"", "a", "${a}", "x${'}'}y#ani#", "${{}}", `${r"\"}#`, "${a//\n}", "#a##b#", `${"""`, "\xff${\xff}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pieces, err := expr.Scan(text)
		if err != nil {
			var e *expr.Error
			require.ErrorAs(t, err, &e)
			require.Positive(t, e.Column)
			return
		}
		var b strings.Builder
		for _, p := range pieces {
			switch p.Kind {
			case expr.Literal:
				require.NotEmpty(t, p.Text)
				b.WriteString(p.Text)
			case expr.Expression:
				b.WriteString("${" + p.Text + "}")
			case expr.Tag:
				b.WriteString("#" + p.Text + "#")
			}
		}
		require.Equal(t, text, b.String())
		if len(text) < 200 {
			for _, p := range pieces {
				if p.Kind == expr.Expression {
					_, _ = expr.Compile(p.Text, expr.InBody) // must not panic
				}
			}
		}
	})
}
