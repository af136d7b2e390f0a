// Package limits tests the table of docs/limits.md, "Limits of a payload": each row at its bound and beyond it, with
// an embedded Temporal on SQLite and on PostgreSQL and a real worker.
//
// It has no code of its own besides tests.
package limits
