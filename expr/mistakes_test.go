package expr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/expr"
)

// A mistake says what to write instead, in words that are not the parser's.
func TestMistakesSayWhatToWrite(t *testing.T) {
	for source, want := range map[string]string{
		`user_data.x = 1`:                 "column 13: there is no single =; compare with ==",
		`user_data.x === 1`:               "there is no single =; compare with ==",
		`user_data.x & user_data.y`:       "there is no single &; write && for and",
		`user_data.x | user_data.y`:       "there is no single |; write || for or",
		`user_data.x and user_data.y`:     "column 13: there is no word and; write &&",
		`user_data.x OR user_data.y`:      "there is no word OR; write ||",
		`not user_data.x`:                 "there is no word not; write ! before what is not to hold",
		`user_data.x <> 1`:                "there is no <>; write != for unequal",
		`user_data.x == 'a`:               "column 16: a text is not closed; end it with the quote with which it begins",
		`user_data.x == “a”`:              `curly quotes are no quotes here; write "text"`,
		`user_data.x ==`:                  "the expression ends too early; write a value behind the last operator",
		`(user_data.x == 1`:               "the expression ends too early; it lacks a )",
		`user_data["x"`:                   "the expression ends too early; it lacks a ]",
		`user_data.x ? 1`:                 "the expression ends too early; it lacks a :",
		`user_data.x == 1)`:               "there is a ) too many; leave it out, or open it before",
		`user_data.x == 1;`:               "there is a ; too many; leave it out",
		`#ani# == "1"`:                    "#name# is for requests, not for expressions; write the field instead, such as interaction.ani",
		`${user_data.x}`:                  "${ } is for requests, and does not stand in an expression again; leave the $",
		`user_data.1x`:                    `a name after a point cannot begin with a digit; write it in brackets, such as user_data["1st"]`,
		`interaction.ani like "x"`:        `"like" does not belong here; write a comparison`,
		`if user_data.x`:                  "if is no word of an expression; write condition ? value : other",
		`interaction.ani > 3`:             "column 17: > does not go with text and a whole number; int(…) and double(…) read a number out of text",
		`durations.handle + 1 > 3`:        "+ does not go with a number and a whole number; write a number with a point, such as 1.0",
		`interaction.ani + 1`:             "+ does not go with text and a whole number; string(…) makes text of a value",
		`interaction.started_at > "2026"`: `> does not go with a time and text; timestamp("2026-01-31T08:00:00Z") makes a time of text`,
		`!interaction.ani`:                "! does not go with text; it goes with true and false only",
		`-interaction.ani`:                "- does not go with text; it goes with numbers only",
		`user_data.x ? 1 : "a"`:           "? : gives a whole number or text; give both the same kind",
		`interaction.ani && true`:         `this is text; true or false is needed; compare it with something, such as == "x"`,
		`agent.name[0]`:                   "[ ] does not go with text; only an object and a list have it",
		`"a" in interaction.ani`:          "in does not go with text and text; the right side is a list",
		`interaction.ani.startsWith(1)`:   "startsWith does not go with text and a whole number",
		`agent == "ada"`:                  "== does not go with the whole agent and text",
		`interaction.ani.lenght()`:        "there is no function lenght; use size instead",
		`length(interaction.ani)`:         "there is no function length; use size instead",
		`interaction.ani.startswith("1")`: "there is no function startswith; did you mean startsWith?",
	} {
		_, err := expr.Compile(source, expr.InBody)
		require.ErrorContains(t, err, want, source)
		for _, jargon := range []string{"token", "overload", "mismatched", "extraneous", "viable", "EOF", "IDENTIFIER", "Syntax error", "dyn"} {
			require.NotContains(t, strings.TrimPrefix(err.Error(), source), jargon, source)
		}
	}
}
