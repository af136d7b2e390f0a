// Package examples holds a day of a contact center, as a file of commands that
// `segue feed` takes and `segue demo` plays. It is generated: see the folders day
// and generate. Beside it are two configurations, each carried over from another
// system whole: ecs.yaml and engage-voice.yaml.
package examples
