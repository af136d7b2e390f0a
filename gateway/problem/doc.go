// Package problem has the errors that all faces share, as RFC 9457 problems, and turns the errors of
// package client into them. A face writes them in its own form.
//
// It must never know a face, nor how a command is judged.
package problem
