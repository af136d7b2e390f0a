package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The server allocates 4 MB for an interaction and keeps little of it. A percentage of the live heap fits no size: at Go's
// default of 100, the small heap at the start is collected all the time, and at 400 a large one grows to a gigabyte. So the
// garbage between two collections has a fixed size, and the percentage follows from the live heap.
const (
	garbageBytes = 96 << 20
	// minPercent keeps collections rare in a heap that is much larger than garbageBytes.
	minPercent = 50
	maxPercent = 400
)

// paceCollections sets the percentage after each collection. A user's GOGC or GOMEMLIMIT has precedence.
func paceCollections() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(maxPercent)
		afterCollection()
	}
}

// afterCollection sets the percentage after the next collection, and after each one that follows.
func afterCollection() {
	type garbage struct{ _ *byte }
	runtime.SetFinalizer(new(garbage), func(*garbage) {
		debug.SetGCPercent(percentFor(liveHeap()))
		afterCollection()
	})
}

// liveHeap returns how many bytes the last collection has left.
func liveHeap() uint64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}

// percentFor returns the percentage of a live heap that makes garbageBytes, within its bounds.
func percentFor(live uint64) int {
	percent := 100 * garbageBytes / math.Max(float64(live), 1)
	return int(min(max(percent, minPercent), maxPercent))
}
