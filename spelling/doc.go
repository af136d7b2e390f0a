// Package spelling finds the name that a misspelled word most likely means.
//
// It is pure and imports no other package of Segue.
package spelling
