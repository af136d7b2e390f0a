// Package contract is what Segue's workflows, activities, clients and gateways exchange: the
// names and ids of workflows, signals, updates, queries, activities and search attributes, and
// their payloads as plain data with JSON keys that never change.
//
// Durations in payloads are in nanoseconds, as Go encodes them, unless a field states another unit;
// times are RFC 3339.
//
// The package imports only the domain (interaction and interaction/intake) and the leaf package
// excerpt. It must never know how a command is judged, nor how a request is rendered, sent or
// configured.
package contract
