// Package examples holds files to copy: configurations that are carried over from other
// systems, and clients in Go and TypeScript, over HTTP and over Temporal. It embeds day.ndjson, a
// day of a contact center as commands, which `segue feed` sends and `segue demo` plays;
// starter/demo/generate writes it.
package examples
