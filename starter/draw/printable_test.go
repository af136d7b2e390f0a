package draw_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/starter/draw"
)

func TestATextFromOutsideCannotControlATerminal(t *testing.T) {
	for text, want := range map[string]string{
		"plain, Ünïcode, 佐\n\ttext":   "plain, Ünïcode, 佐\n\ttext",
		"\x1b[2J":                     "\uFFFD[2J",
		"a\rb\x00c\x7fd\u0085e\u009b": "a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\uFFFD",
		"exe.\u202egpj\u2066x":        "exe.\uFFFDgpj\uFFFDx",
		"می\u200cخواهم 👩\u200d💻":      "می\u200cخواهم 👩\u200d💻",
	} {
		require.Equal(t, want, draw.Printable(text), "%q", text)
	}
}
