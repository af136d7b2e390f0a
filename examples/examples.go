package examples

import _ "embed"

//go:generate go run ../starter/demo/generate

// Day is day.ndjson: one JSON command a line.
//
//go:embed day.ndjson
var Day []byte
