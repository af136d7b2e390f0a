//go:build race

package config_test

// instrumented says that the race detector is on: it takes several times the memory.
const instrumented = true
