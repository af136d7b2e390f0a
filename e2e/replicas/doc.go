// Package replicas tests several gateways, workers and a bus as processes of their own, which are
// killed, suspended and cut off while clients use them over HTTP.
//
// A test keeps a ledger of what its clients sent and what was acknowledged, and compares it at the
// end with what Temporal has, with the lists of every gateway and with the streams of live events.
//
// CI plays reduced numbers; the flag -full plays all of them.
//
// It has no code besides tests.
package replicas
