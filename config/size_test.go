package config_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"segue/config"

	"github.com/stretchr/testify/require"
)

// bombs are small files whose aliases expand to large ones.
func bombs() map[string]string {
	long := strings.Repeat("k", 400)
	var entries, uses, calls strings.Builder
	for i := range 100 {
		fmt.Fprintf(&entries, "k%d: 1, ", i)
		uses.WriteString("*a, ")
	}
	for range 5000 {
		calls.WriteString("  - *c\n")
	}
	return map[string]string{
		"long paths": "calls: [{name: a, method: POST, url: 'https://h/', json: " + strings.Repeat("{"+long+": ", 55) + "[" +
			strings.Repeat("1, ", 9_000) + "]" + strings.Repeat("}", 55) + "}]",
		"calls by alias":     "calls:\n  - &c {name: a, method: GET, url: 'https://h/'}\n" + calls.String(),
		"lists in lists":     "triggers: &t [" + strings.Repeat("{when: survey}, ", 1500) + "]\nqueues: *t\ncalls: *t",
		"headers in calls":   "calls:\n  - {name: a, headers: &h [" + strings.Repeat("{name: a},", 2000) + "]}\n" + strings.Repeat("  - {headers: *h}\n", 1000),
		"maps under aliases": "desktop: {scripts: [&a {" + entries.String() + "}, " + uses.String() + "]}",
	}
}

func TestAFileOfAliasesIsBoundedInMemory(t *testing.T) {
	limit := uint64(128 << 20)
	if instrumented {
		limit *= 3
	}
	for name, text := range bombs() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := config.Parse("f.yaml", []byte(text))
			runtime.ReadMemStats(&after)
			require.Error(t, err)
			t.Logf("%d KiB of YAML allocate %d MiB", len(text)>>10, (after.TotalAlloc-before.TotalAlloc)>>20)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, limit)
			require.Less(t, len(err.Error()), 64<<10)
		})
	}
}
