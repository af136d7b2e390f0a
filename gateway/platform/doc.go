// Package platform is the REST API /v1: interactions, commands, deliveries, lists, the NDJSON feed,
// and live events (SSE). Its OpenAPI 3.1 document comes from the code.
//
// Each group of routes has a file of its own with a function that registers them; New lists these
// functions.
//
// It must never know Temporal: it asks packages client, commands and index.
package platform
