// Package spelling finds the name that a misspelled one means.
//
// It is pure and knows no other package.
package spelling
