// Package lanes finds the deliveries that lane workflows hold, in a whole namespace, and sends
// an operator's request for them: to redeliver or to discard.
//
// Find searches with a Filter; Send signals the lanes of what was found:
//
//	found, err := lanes.Find(ctx, source, lanes.Filter{Call: "crm", Parked: true}, 1000, nil)
//	result, err := lanes.Send(ctx, source, filter, found, lanes.Operation{Signal: contract.SignalRedeliver, By: "ada"})
//
// The package must never know how deliveries are shown, nor how Temporal is reached.
package lanes
