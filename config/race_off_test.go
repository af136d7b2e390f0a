//go:build !race

package config_test

const instrumented = false
