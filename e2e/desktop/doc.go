// Package desktop plays days of agents on the GWS face end to end: an embedded Temporal with a real worker, the live bus,
// two replicas of the gateway, and agents whose desktops receive by the official client of CometD or by faye and send over
// HTTP. Package segue/e2e/gws tests each operation by itself; here they follow one another.
//
// It has no code besides tests.
package desktop
