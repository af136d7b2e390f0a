// Package limits tests the table of docs/limits.md, "What a payload may bring": each row at its bound and beyond it,
// with an embedded Temporal on SQLite and on PostgreSQL, and a worker.
//
// It has no code besides tests.
package limits
