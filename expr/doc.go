// Package expr evaluates what a configuration reads of data: CEL expressions over a
// declared schema, and Engage Voice data elements. Its scanner finds both in a string.
// Requests and trigger conditions use it.
//
// Expressions are compiled, type-checked and bounded in cost when the configuration is
// loaded. The package must never know HTTP, YAML or how a value is escaped.
package expr
