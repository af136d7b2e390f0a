// Package order tests what a backend learns of an invitation whose callbacks arrive late or in another order, what a
// backend that is Segue itself does with them, and engages at the same time, as they are run: an embedded Temporal with two
// workers and two gateways. The backend fails as the tests need it.
//
// It has no code besides tests.
package order
