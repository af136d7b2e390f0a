package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Child is a process that a benchmark has started: this program again, with an argument that names what it runs. So
// its CPU is measured apart from that of the load generator and the receivers.
type Child struct {
	process *exec.Cmd
	stdin   io.WriteCloser // the child ends with it, also if this process dies
	stdout  *bufio.Reader
	// Said is the line that the child wrote when it had started.
	Said string
}

// StartChild starts a child and returns when it has started. The assignment is written to it as JSON; its log goes to
// stderr.
func StartChild(argument string, assignment any, stderr io.Writer) (*Child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.Command(program, argument)
	process.Stderr = stderr
	stdin, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	c := &Child{process: process, stdin: stdin, stdout: bufio.NewReader(stdout)}
	if err := json.NewEncoder(stdin).Encode(assignment); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", argument, err), c.Stop())
	}
	c.Said = line[:len(line)-1]
	return c, nil
}

// PID returns the process id.
func (c *Child) PID() int { return c.process.Process.Pid }

// Ask sends a started child a question and waits for its answer, both as JSON.
func (c *Child) Ask(question, answer any) error {
	if err := json.NewEncoder(c.stdin).Encode(question); err != nil {
		return err
	}
	line, err := c.stdout.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, answer)
}

// Stop lets the child finish what it does, and waits for its end.
func (c *Child) Stop() error { return errors.Join(c.stdin.Close(), c.process.Wait()) }

// Assignment is the child's side of StartChild.
type Assignment struct{ stdin *bufio.Reader }

// ReadAssignment reads what the child is to run.
func ReadAssignment(assignment any) (*Assignment, error) {
	a := &Assignment{bufio.NewReader(os.Stdin)}
	return a, a.Question(assignment)
}

// Question reads the next question of Child.Ask.
func (a *Assignment) Question(question any) error {
	line, err := a.stdin.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, question)
}

// Answer answers the last question.
func (a *Assignment) Answer(answer any) error { return json.NewEncoder(os.Stdout).Encode(answer) }

// Started writes the line that the parent waits for, and returns when the child shall end.
func (a *Assignment) Started(line string) error {
	fmt.Println(line)
	return a.AwaitEnd()
}

// AwaitEnd returns when the child shall end.
func (a *Assignment) AwaitEnd() error {
	_, err := io.Copy(io.Discard, a.stdin)
	return err
}
