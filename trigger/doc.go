// Package trigger decides which configured calls an event fires. A trigger names moments
// (the "When" of ECS, the slots of Engage Voice) and filters on them.
//
// It is pure: it reads one event and the interaction at the time of that event. It must
// never know how a call is rendered, sent or configured in a file.
package trigger
