// Package scxml tests web engagement with a real client: an SCXML engine runs a strategy, as one for GWE is written, against
// real processes of the gateway and the worker, which are killed. A receiver records the callbacks.
//
// The engine runs under Node.js and needs npm. The package has no code besides tests.
package scxml
