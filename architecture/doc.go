// Package architecture checks the rules by which the packages of this repository import each other: what each room (a
// folder) must never know, and that rooms do not import each other in a circle.
//
// rules_test.go has the rules, one for each room, with its reason. They hold in all modules of the repository. The
// package has no code besides tests.
package architecture
