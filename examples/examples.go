package examples

import _ "embed"

//go:generate go run ../starter/demo/generate

// Day is examples/day.ndjson.
//
//go:embed day.ndjson
var Day []byte
