// Package demo is what `segue demo` has around Segue: three receivers on this
// machine that keep a ledger of what arrives, the configuration that points at
// them, and the judgement whether everything arrived exactly as it should.
//
// What should arrive is worked out here from the input and the pure state
// machine alone. The package must never ask Segue's workflows what they did.
package demo
