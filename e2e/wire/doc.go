// Package wire holds the tests of what receivers read: calls as they are configured,
// rendered by request and sent by delivery to real servers, and read there with the
// parsers that receivers have.
//
// It has no code of its own besides tests, and nothing may import it.
package wire
