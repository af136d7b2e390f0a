package expr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/expr"
)

// The error of a mistake says what to write instead, without the words of the parser.
func TestMistakesSayWhatToWrite(t *testing.T) {
	for source, want := range map[string]string{
		`user_data.x = 1`:                 "column 13: there is no single =; compare with ==",
		`user_data.x === 1`:               "there is no single =; compare with ==",
		`user_data.x & user_data.y`:       "there is no single &; write && for and",
		`user_data.x | user_data.y`:       "there is no single |; write || for or",
		`user_data.x and user_data.y`:     "column 13: there is no word and; write &&",
		`user_data.x OR user_data.y`:      "there is no word OR; write ||",
		`not user_data.x`:                 "there is no word not; write ! before the condition",
		`user_data.x <> 1`:                "there is no <>; write !=",
		`user_data.x == 'a`:               "column 16: a text is not closed; end it with the quote that it begins with",
		`user_data.x == “a”`:              `curly quotes are not quotes in an expression; write "text"`,
		`user_data.x ==`:                  "the expression ends too early; write a value after the last operator",
		`(user_data.x == 1`:               "the expression ends too early; add a )",
		`user_data["x"`:                   "the expression ends too early; add a ]",
		`user_data.x ? 1`:                 "the expression ends too early; add a :",
		`user_data.x == 1)`:               "there is a ) too many; remove it, or open it before",
		`user_data.x == 1;`:               "there is a ; too many; remove it",
		`#ani# == "1"`:                    "#name# cannot be used in an expression; write the field instead, such as interaction.ani",
		`${user_data.x}`:                  "${ } cannot be used in an expression; remove the $",
		`user_data.1x`:                    `a name after a dot cannot begin with a digit; write it in brackets, such as user_data["1st"]`,
		`interaction.ani like "x"`:        `"like" does not belong here; write a comparison`,
		`if user_data.x`:                  "if cannot be used in an expression; write condition ? value : other",
		`interaction.ani > 3`:             "column 17: > does not accept text and a whole number; convert text to a number: int(…) or double(…)",
		`durations.handle + 1 > 3`:        "+ does not accept a number and a whole number; write a number with a decimal point, such as 1.0",
		`interaction.ani + 1`:             "+ does not accept text and a whole number; convert the value to text: string(…)",
		`interaction.started_at > "2026"`: `> does not accept a time and text; convert text to a time: timestamp("2026-01-31T08:00:00Z")`,
		`!interaction.ani`:                "! does not accept text; use it with true and false only",
		`-interaction.ani`:                "- does not accept text; use it with numbers only",
		`user_data.x ? 1 : "a"`:           "? : results in a whole number or text; use the same type for both",
		`interaction.ani && true`:         `this is text; true or false is needed; compare it with something, such as == "x"`,
		`agent.name[0]`:                   "[ ] does not accept text; use it on an object or a list",
		`"a" in interaction.ani`:          "in does not accept text and text; write a list on the right side",
		`interaction.ani.startsWith(1)`:   "startsWith does not accept text and a whole number",
		`agent == "ada"`:                  "== does not accept the whole agent and text",
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
