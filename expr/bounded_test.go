package expr_test

import (
	"runtime"
	"strings"
	"testing"

	"segue/expr"
	"segue/interaction"

	"github.com/stretchr/testify/require"
)

func dataOf(values map[string]any) *expr.Scope {
	return &expr.Scope{View: &interaction.View{UserData: values}, Event: &interaction.Event{}}
}

func TestALargeResultIsRefusedBeforeItIsAllocated(t *testing.T) {
	commas, large := strings.Repeat(",", 16<<10), strings.Repeat("x", 16<<10)
	scope := dataOf(map[string]any{"a": commas, "b": large, "l": []any{large, large, large}})
	for _, source := range []string{
		`user_data.a.replace(',', user_data.b)`,
		`user_data.a.replace(',', user_data.b, 9000)`,
		`user_data.a.replace('', user_data.b)`,
		`user_data.a.split('').join(user_data.b)`,
		`user_data.a.split(',').join(user_data.b)`,
		`[user_data.b, user_data.b].map(x, user_data.a.replace(',', x)).join('')`,
		`user_data.a.split('', 16000).map(x, user_data.b).join()`,
	} {
		program, err := expr.Compile(source, expr.InBody)
		require.NoError(t, err, source)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = program.Eval(scope)
		runtime.ReadMemStats(&after)
		require.Error(t, err, source)
		require.NotContains(t, err.Error(), "xxx")
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), source)
	}
}

func TestBoundedFunctionsReturnWhatCELSpecifies(t *testing.T) {
	scope := dataOf(map[string]any{"a": "hello hello"})
	for source, want := range map[string]string{
		`user_data.a.replace('he', 'we')`:          "wello wello",
		`user_data.a.replace('he', 'we', -1)`:      "wello wello",
		`user_data.a.replace('he', 'we', 1)`:       "wello hello",
		`user_data.a.replace('he', 'we', 0)`:       "hello hello",
		`user_data.a.replace('', '_')`:             "_h_e_l_l_o_ _h_e_l_l_o_",
		`user_data.a.replace('h', '')`:             "ello ello",
		`string(user_data.a.split(' ').size())`:    "2",
		`user_data.a.split(' ').join('-')`:         "hello-hello",
		`user_data.a.split('').join('.')`:          "h.e.l.l.o. .h.e.l.l.o",
		`user_data.a.split(' ', 1).join('-')`:      "hello hello",
		`string(user_data.a.split(' ', 0).size())`: "0",
		`user_data.a.split(' ', -1).join()`:        "hellohello",
		`['a', 'b'].join()`:                        "ab",
		`[].join('-') + 'x'`:                       "x",
	} {
		program, err := expr.Compile(source, expr.InBody)
		require.NoError(t, err, source)
		v, err := program.Eval(scope)
		require.NoError(t, err, source)
		text, err := expr.Text(v)
		require.NoError(t, err)
		require.Equal(t, want, text, source)
	}
}
