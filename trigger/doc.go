// Package trigger decides which configured calls an event fires: the "When" of
// ECS, the slots of Engage Voice, and the filters on them.
//
// It is pure: it sees one event and the interaction as it then stood. It must
// never know how a call is rendered, sent or configured in a file.
package trigger
