package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPercentFor(t *testing.T) {
	for _, test := range []struct {
		live uint64
		want int
	}{
		{0, maxPercent},
		{1 << 20, maxPercent},
		{garbageBytes / 2, 200},
		{garbageBytes, 100},
		{garbageBytes * 5 / 4, 80},
		{garbageBytes * 100, minPercent},
	} {
		require.Equal(t, test.want, percentFor(test.live), test.live)
	}
}
