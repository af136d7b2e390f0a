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
	stdin   io.Closer // the child ends with it, also if this process dies
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
	c := &Child{process: process, stdin: stdin}
	if err := json.NewEncoder(stdin).Encode(assignment); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", argument, err), c.Stop())
	}
	c.Said = line[:len(line)-1]
	return c, nil
}

// PID returns the process id.
func (c *Child) PID() int { return c.process.Process.Pid }

// Stop lets the child finish what it does, and waits for its end.
func (c *Child) Stop() error { return errors.Join(c.stdin.Close(), c.process.Wait()) }

// Assignment is the child's side of StartChild.
type Assignment struct{ stdin *bufio.Reader }

// ReadAssignment reads what the child is to run.
func ReadAssignment(assignment any) (*Assignment, error) {
	a := &Assignment{bufio.NewReader(os.Stdin)}
	line, err := a.stdin.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	return a, json.Unmarshal(line, assignment)
}

// Started writes the line that the parent waits for, and returns when the child shall end.
func (a *Assignment) Started(line string) error {
	fmt.Println(line)
	_, err := io.Copy(io.Discard, a.stdin)
	return err
}
