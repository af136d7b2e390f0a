package config

import (
	"fmt"
	"time"

	"segue/contract"
)

// Bounds of the lists of a configuration.
const (
	maxCalls    = 500
	maxSchedule = 100
	maxReturns  = 100
	maxParams   = 20
	maxSecrets  = 5
	maxList     = 1000 // of any other
)

// numbers is a range, both ends included.
type numbers struct{ least, most float64 }

// spans is a range of durations, both ends included.
type spans struct{ least, most time.Duration }

var (
	timeoutSpans       = spans{10 * time.Millisecond, 10 * time.Minute}
	waitSpans          = spans{time.Millisecond, 30 * 24 * time.Hour}
	jitterNumbers      = numbers{0, 1}
	concurrencyNumbers = numbers{0, 10_000}
	rateNumbers        = numbers{0, 100_000}
	responseNumbers    = numbers{0, 16 << 20}
	missesNumbers      = numbers{0, 1000}
	priorityNumbers    = numbers{contract.FirstPriority, contract.LastPriority}
	weightNumbers      = numbers{0.001, 1000} // as Temporal accepts them
)

func (l *loader) bounded(path string, n, most int) {
	if n > most {
		l.decoder.fail(path, "", fmt.Sprintf("has %d entries, more than %d", n, most), "remove some")
	}
}

// within checks the range of a number, and reports whether it is in it.
func (l *loader) within(path string, v float64, r numbers) bool {
	if v >= r.least && v <= r.most {
		return true
	}
	l.decoder.fail(path, fmt.Sprint(v), fmt.Sprintf("%v is out of range", v), fmt.Sprintf("write %v to %v", r.least, r.most))
	return false
}

// spanWithin checks the range of a duration.
func (l *loader) spanWithin(path string, v time.Duration, r spans) {
	if v < r.least || v > r.most {
		l.decoder.fail(path, v.String(), fmt.Sprintf("%s is out of range", v), fmt.Sprintf("write %s to %s", r.least, r.most))
	}
}
