// Package documents runs the commands of the README, of docs/ and of examples/ as they are written, against one `segue dev`,
// and checks the names and flags of those that it cannot run.
//
// A block of commands is ```sh. It is run line by line: each command must succeed, a curl with a status of 2xx. A comment behind
// a command that begins with a status, or contains "exit code N", changes that, and quoted text in it must be in the output.
// A comment in HTML in front of the block says otherwise:
//
//	<!-- run: until stopped -->     the command runs until it has printed something
//	<!-- run: flags, REASON -->     only names and flags of segue's commands are checked
//	<!-- run: never, REASON -->     nothing is run
//	<!-- file: NAME -->             the block is a file that later commands read
//
// It has no code besides tests.
package documents
