//go:build race

package config_test

// instrumented is true with the race detector, which needs several times the memory.
const instrumented = true
