package contract_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

func TestAKeywordFitsEveryDatabase(t *testing.T) {
	for name, text := range map[string]string{
		"ascii": strings.Repeat("x", 3000), "two bytes each": strings.Repeat("ü", 256), "four bytes each": strings.Repeat("😀", 256),
		"escaped in JSON": strings.Repeat("<", 256), "control characters": strings.Repeat("\x00", 300), "not UTF-8": strings.Repeat("\xffx", 150),
	} {
		keyword := contract.Keyword(text)
		require.Equal(t, 255, utf8.RuneCountInString(keyword), name)
		require.True(t, utf8.ValidString(keyword), name)
		require.NotContains(t, keyword, "\x00", name)
		encoded, err := json.Marshal(keyword)
		require.NoError(t, err)
		require.Less(t, len(encoded), 2048, name)
		require.Equal(t, keyword, contract.Keyword(text), name)
		require.NotEqual(t, keyword, contract.Keyword(text+"y"), name)
		require.Equal(t, keyword, contract.Keyword(keyword), "a keyword is its own keyword")
	}
	require.True(t, strings.HasPrefix(contract.Keyword(strings.Repeat("sales ", 100)), "sales sales "))
	for _, text := range []string{"", "sales ", "Söderköping", strings.Repeat("x", 255), strings.Repeat("😀", 255)} {
		require.Equal(t, text, contract.Keyword(text))
	}
	require.Equal(t, "a b", contract.Keyword("a\nb"))
}
