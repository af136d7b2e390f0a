package config

import _ "embed"

// Example is the annotated example configuration, which shows every key. `segue dev` uses
// it if no other is given.
//
//go:embed example.yaml
var Example []byte
