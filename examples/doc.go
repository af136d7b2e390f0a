// Package examples holds a day of a contact center, as a file of commands that `segue feed` reads and `segue demo` plays;
// starter/demo/generate writes it. It also has two configurations, each of which replaces one of another system:
// ecs.yaml and engage-voice.yaml.
package examples
