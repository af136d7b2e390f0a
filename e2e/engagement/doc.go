// Package engagement tests web engagement as it is run: an embedded Temporal with a real worker, the live
// bus and a gateway on a TCP port. The backend that gets the callbacks is the gateway itself, behind a
// server that records them.
//
// It has no code besides tests.
package engagement
