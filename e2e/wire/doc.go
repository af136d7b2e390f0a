// Package wire tests what receivers read: calls are configured, rendered by request, sent by delivery to HTTP
// servers, and read there with the parsers that receivers use.
//
// It has no code besides tests, and nothing may import it.
package wire
