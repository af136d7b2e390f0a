package excerpt_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/excerpt"
)

func TestExcerpts(t *testing.T) {
	for _, tc := range []struct {
		text    string
		limit   int
		of, cut string
	}{
		{"", 3, "", ""},
		{"abc", 3, "abc", "abc"},
		{"abcd", 3, "abc…", "abc"},
		{"abcd", 0, "…", ""},
		{"äöü", 6, "äöü", "äöü"},
		{"äöü", 5, "äö…", "äö"},
		{"a€b", 2, "a…", "a"},
		{"a€b", 3, "a…", "a"},
		{"a€b", 4, "a€…", "a€"},
		{"😀😀", 7, "😀…", "😀"},
		{"a\xffb", 5, "a\uFFFDb", "a\uFFFDb"},
		{"a\xff\xffb", 5, "a\uFFFDb", "a\uFFFDb"},
		{"ab\xff\xff\xff", 3, "ab…", "ab"},
	} {
		assert.Equal(t, tc.of, excerpt.Of(tc.text, tc.limit), "Of %q, %d", tc.text, tc.limit)
		assert.Equal(t, tc.cut, excerpt.Cut(tc.text, tc.limit), "Cut %q, %d", tc.text, tc.limit)
	}
}

func FuzzExcerpts(f *testing.F) {
	for _, seed := range []string{"", "abc", "äöü€😀", "\xff\xfe", "a\xe2\x82", strings.Repeat("😀", 100)} {
		f.Add(seed, 7)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 0 || limit > 1<<20 {
			t.Skip()
		}
		of, cut := excerpt.Of(text, limit), excerpt.Cut(text, limit)
		require.True(t, utf8.ValidString(of) && utf8.ValidString(cut))
		require.LessOrEqual(t, len(cut), limit)
		if utf8.ValidString(text) {
			require.True(t, strings.HasPrefix(text, cut))
			want := cut
			if len(text) > limit {
				want += "…"
			}
			require.Equal(t, want, of)
		}
	})
}
