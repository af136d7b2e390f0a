// Package platform tests the REST API /v1 with an embedded Temporal and a real worker: every route, the
// statuses that it documents, repeats with a key, and that contact centers do not see each other.
//
// It has no code besides tests.
package platform
