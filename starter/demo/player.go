package demo

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"segue/client"
	"segue/client/feed"
	"segue/excerpt"
)

// Player plays a day by a program that sends the lines to a gateway.
//
// The program gets the day on stdin, the URL of the gateway in SEGUE_GATEWAY, and the contact center in
// SEGUE_CONTACT_CENTER. It writes what POST /v1/feed answers to stdout: one JSON object for each line that is not blank, in
// any order, and then one with a summary.
type Player struct {
	// Program is a command of the shell.
	Program                string
	Gateway, ContactCenter string
	Stderr                 io.Writer
	// Progress is called after each line.
	Progress func()
}

const (
	// maxReport is the length of the longest line that a program may write, in bytes.
	maxReport = 2 * feed.MaxLine
	// graceful is how long a program may take to end after an interrupt.
	graceful = 5 * time.Second
)

// Play runs the program and returns the outcomes that it reports, without run ids. It returns an error if the program fails,
// writes something else, or does not report every line once.
func (p Player) Play(ctx context.Context, day []byte) (feed.Result, error) {
	reports, err := newReports(day, p.ContactCenter)
	if err != nil {
		return feed.Result{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	program := exec.CommandContext(ctx, "sh", "-c", p.Program)
	program.Env = append(os.Environ(), "SEGUE_GATEWAY="+p.Gateway, "SEGUE_CONTACT_CENTER="+p.ContactCenter)
	program.Stdin, program.Stderr = bytes.NewReader(day), p.Stderr
	program.Cancel = func() error { return program.Process.Signal(os.Interrupt) }
	program.WaitDelay = graceful
	out, err := program.StdoutPipe()
	if err == nil {
		err = program.Start()
	}
	if err != nil {
		return feed.Result{}, fmt.Errorf("run the client %q: %w", p.Program, err)
	}
	if err := p.await(program, reports.read(out, p.Progress), cancel); err != nil {
		return feed.Result{}, fmt.Errorf("the client %q: %w", p.Program, err)
	}
	return reports.result(), nil
}

// await waits for the end of a program whose output was read, with the outcome of the reading.
func (p Player) await(program *exec.Cmd, read error, cancel func()) error {
	if read != nil && !errors.Is(read, errUnfinished) {
		cancel() // what it writes from here on is of no use
		_ = program.Wait()
		return read
	}
	// The program's own failure explains why its output ends early.
	return cmp.Or(program.Wait(), read)
}

// report is one line of a program's output.
type report struct {
	Line        int    `json:"line"`
	Interaction string `json:"interaction"`
	// Status is one of those below.
	Status  string `json:"status"`
	Problem struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	} `json:"problem"`
	Summary json.RawMessage `json:"summary"`
}

// The outcomes of lines, as the API names them.
const (
	accepted  = "accepted"
	duplicate = "duplicate"
	rejected  = "rejected"
	// unknown is for a line that may or may not be applied.
	unknown = "unknown"
)

// reports collects what a program reports of the lines of a day.
type reports struct {
	// lines are the lines of the day by number; one that cannot be sent has no interaction.
	lines    map[int]feed.Line
	received map[int]report
}

func newReports(day []byte, contactCenter string) (*reports, error) {
	r := &reports{lines: map[int]feed.Line{}, received: map[int]report{}}
	return r, feed.Scan(bytes.NewReader(day), contactCenter, func(l feed.Line) error {
		r.lines[l.Number] = l
		return nil
	}, func(bad feed.BadLine) error {
		r.lines[bad.Number] = feed.Line{Number: bad.Number}
		return nil
	})
}

// errUnfinished is the error of output that ends early.
var errUnfinished = errors.New("stdout ended without a summary")

// read reads the whole output.
func (r *reports) read(out io.Reader, progress func()) error {
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, maxReport)
	for scanner.Scan() {
		text := bytes.TrimSpace(scanner.Bytes())
		if len(text) == 0 {
			continue
		}
		var one report
		if err := json.Unmarshal(text, &one); err != nil {
			return fmt.Errorf("stdout has a line that is no result: %s: %w", excerpt.Of(string(text), 120), err)
		}
		if one.Summary != nil {
			return r.finish(scanner)
		}
		if err := r.add(one); err != nil {
			return err
		}
		progress()
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("read stdout: %w", err)
	}
	return errUnfinished
}

func (r *reports) add(one report) error {
	line, known := r.lines[one.Line]
	_, repeated := r.received[one.Line]
	switch {
	case !known:
		return fmt.Errorf("a result has line %d, and the day has no such line", one.Line)
	case repeated:
		return fmt.Errorf("line %d has two results", one.Line)
	case line.Name.ID != "" && one.Interaction != line.Name.ID:
		return fmt.Errorf("the result of line %d has interaction %q, the line %q", one.Line, one.Interaction, line.Name.ID)
	case !slices.Contains([]string{accepted, duplicate, rejected, unknown}, one.Status):
		return fmt.Errorf("the result of line %d has status %q; use accepted, duplicate, rejected or unknown", one.Line, one.Status)
	}
	r.received[one.Line] = one
	return nil
}

// finish returns an error unless the summary is the last line, and every line has a result.
func (r *reports) finish(scanner *bufio.Scanner) error {
	for scanner.Scan() {
		if text := bytes.TrimSpace(scanner.Bytes()); len(text) > 0 {
			return fmt.Errorf("stdout continues after the summary: %s", excerpt.Of(string(text), 120))
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("read stdout: %w", err)
	}
	missing, first := 0, 0
	for number := range r.lines {
		if _, ok := r.received[number]; !ok {
			if missing++; first == 0 || number < first {
				first = number
			}
		}
	}
	if missing > 0 {
		return fmt.Errorf("%d of %d lines have no result; the first is line %d", missing, len(r.lines), first)
	}
	return nil
}

// result counts the reports as `segue feed` counts its lines.
func (r *reports) result() feed.Result {
	result := feed.Result{Lines: len(r.lines), Rejected: []feed.Rejection{}, Unanswered: []feed.Unanswered{}, Runs: map[client.Name]string{}}
	names := map[client.Name]bool{}
	for number, one := range r.received {
		line := r.lines[number]
		if line.Name.ID != "" {
			names[line.Name] = true
		}
		reason := cmp.Or(one.Problem.Detail, one.Problem.Title, "no reason given")
		switch one.Status {
		case duplicate:
			result.Duplicates++
		case accepted:
			result.Accepted++
		case unknown:
			result.Unknown++
			result.Unanswered = append(result.Unanswered, feed.Unanswered{Interaction: line.Name.String(), Lines: []int{number}, Reason: reason})
		case rejected:
			rejection := feed.Rejection{Line: number, Command: line.Command, EventID: line.EventID, Reason: reason}
			if line.Name.ID != "" {
				rejection.Interaction = line.Name.String()
			}
			result.Rejected = append(result.Rejected, rejection)
		}
	}
	result.Interactions = len(names)
	slices.SortFunc(result.Rejected, func(a, b feed.Rejection) int { return cmp.Compare(a.Line, b.Line) })
	slices.SortFunc(result.Unanswered, func(a, b feed.Unanswered) int { return cmp.Compare(a.Lines[0], b.Lines[0]) })
	return result
}
