// Package expr is what a configuration may say about data: CEL expressions over
// a declared schema, Engage Voice data elements, and the scanner that finds both
// in a string. Request bodies and trigger conditions use it alike.
//
// Everything is compiled, type-checked and cost-bounded when the configuration
// is loaded. The package must never know HTTP, YAML or how a value is escaped.
package expr
