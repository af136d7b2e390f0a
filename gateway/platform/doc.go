// Package platform is the REST API /v1: interactions, commands, deliveries, lists, the NDJSON feed,
// and live events (SSE). Its OpenAPI 3.1 document comes from the code.
//
// It must never know Temporal: it asks packages client, commands and index.
package platform
