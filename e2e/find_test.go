package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// canary is a value that must not appear outside. The search looks for the random text in it, and for either half of
// that, so that neither escaping nor truncation hides it.
type canary struct {
	kind  string
	value string
	cores []string
}

func (c canary) halves() (list []string) {
	for _, core := range c.cores {
		list = append(list, core[:len(core)/2], core[len(core)/2:])
	}
	return list
}

// found lists the canaries that a text contains, and in which notation.
func found(text []byte, canaries ...canary) (list []string) {
	for _, c := range canaries {
		for _, half := range c.halves() {
			for notation, spelling := range notations(half) {
				if bytes.Contains(text, []byte(spelling)) {
					list = append(list, c.kind+" in "+notation)
				}
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// notations are the ways in which letters and digits may be written. Base64 depends on the number of bytes before
// them, and on the neighbours at both ends, which are left out.
func notations(text string) map[string]string {
	var percents strings.Builder
	for _, b := range []byte(text) {
		fmt.Fprintf(&percents, "%%%02x", b)
	}
	list := map[string]string{
		"plain": text, "hex": hex.EncodeToString([]byte(text)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(text))),
		"percents": percents.String(), "PERCENTS": strings.ToUpper(percents.String()), "url": url.QueryEscape(text),
	}
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte("xx"[:before] + text))
		list[fmt.Sprintf("base64 after %d", before)] = encoded[(before*8+5)/6 : len(encoded)-1]
		encoded = base64.RawURLEncoding.EncodeToString([]byte("xx"[:before] + text))
		list[fmt.Sprintf("base64url after %d", before)] = encoded[(before*8+5)/6 : len(encoded)-1]
	}
	return list
}

// TestACanaryIsFoundInEveryNotation checks that the search can find something.
func TestACanaryIsFoundInEveryNotation(t *testing.T) {
	c := canary{kind: "test", cores: []string{"0123456789abcdef01234567"}}
	for _, text := range []string{"", "0123456789a", strings.Repeat("0123456789a ", 100), "1111" + c.cores[0][13:]} {
		require.Empty(t, found([]byte(text), c), text)
	}
	core := c.cores[0]
	for name, text := range map[string]string{
		"plain": core, "the first half": core[:12], "the second half": core[12:], "amid other text": "Bearer x" + core + "x",
		"hex": hex.EncodeToString([]byte("x" + core)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(core))),
		"url": url.QueryEscape("a b/" + core + "&"), "percents": notations(core)["percents"],
		"json": fmt.Sprintf("%q", `"`+core+`\`),
	} {
		require.NotEmpty(t, found([]byte(text), c), name)
	}
	for before := range 5 {
		for after := range 3 {
			text := strings.Repeat("?", before) + core + strings.Repeat("~", after)
			require.NotEmpty(t, found([]byte(base64.StdEncoding.EncodeToString([]byte(text))), c), text)
			require.NotEmpty(t, found([]byte(base64.URLEncoding.EncodeToString([]byte(text))), c), text)
		}
	}
}
