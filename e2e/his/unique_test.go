package his_test

import (
	"strconv"
	"sync/atomic"
)

var made atomic.Int64

// unique returns a name that no other test has, nor this one when it runs again.
func unique(name string) string { return name + "-" + strconv.FormatInt(made.Add(1), 36) }
