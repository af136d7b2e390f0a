package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"segue/client/feed"
	"segue/starter/draw"
)

func (a *app) feedCommand() *cobra.Command {
	var contactCenter, via string
	parallel := feed.DefaultParallel
	patience := 2 * time.Minute
	c := &cobra.Command{
		Use:   "feed FILE",
		Short: "Send a file of commands",
		Long: `Send a file of commands, one JSON object a line (NDJSON). Use - for stdin. A line is a command's payload and
"interaction", "command" and optionally "contact_center". The command "start" starts the interaction.

Lines of one interaction are sent in order; different interactions are sent in parallel. Lines of one interaction that
wait together are sent as one message; no line waits for others. A line is deduplicated by its
event_id, so run an interrupted feed again: lines that were applied count as duplicates. A line without event_id gets
one from its content.

The summary counts the lines and lists the rejected ones with their reasons. If an interaction does not answer, the
others continue; it is listed with its lines, whose outcome is unknown. Run the feed again once it answers. During an
outage of Temporal the feed waits up to --patience.

Exit codes: 0 every line was accepted or is a duplicate; 2 the file cannot be read; 4 lines were rejected; 5 an
interaction or Temporal does not answer.`,
		Example: `  segue feed examples/day.ndjson
  segue feed today.ndjson --parallel 50 --via update --json
  printf '%s\n' '{"interaction":"ixn-1","command":"start","channel":"chat"}' | segue feed -`,
		Args: exactly(1, "one file"),
		RunE: func(c *cobra.Command, args []string) error {
			mode := feed.Mode(via)
			switch mode {
			case feed.ModeSignal, feed.ModeUpdate, feed.ModeMixed:
			default:
				return usage("--via %q: use signal, update or mixed", via)
			}
			if patience < 0 {
				return usage("--patience %s: use 0 or more", patience)
			}
			if parallel < 1 {
				return usage("--parallel %d: use 1 or more", parallel)
			}
			source, total, err := a.openFeed(args[0])
			if err != nil {
				return err
			}
			defer source.Close()
			s, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			s.Patience = max(patience, time.Nanosecond)
			begin := time.Now()
			bar := newProgress(a.errs, "lines", total)
			result, err := feed.Run(c.Context(), s.Client, source, feed.Options{
				ContactCenter: contactCenter, Parallel: parallel, Mode: mode, Progress: bar.step,
			})
			bar.end()
			if printed := a.printFeed(result, time.Since(begin)); err == nil {
				err = printed
			}
			switch {
			case err != nil:
				return err
			case result.Unknown > 0:
				return &codedError{exitUnreachable}
			case len(result.Rejected) > 0:
				return &codedError{exitRefused}
			}
			return nil
		},
	}
	contactCenterFlag(c, &contactCenter)
	c.Flags().IntVar(&parallel, "parallel", parallel, "number of interactions in parallel")
	c.Flags().DurationVar(&patience, "patience", patience, "how long to wait during an outage of Temporal before the feed fails")
	c.Flags().StringVar(&via, "via", string(feed.ModeSignal), "send commands as signal, update, or mixed (updates for every fifth interaction)")
	return c
}

// openFeed opens a feed and counts its lines; stdin counts 0.
func (a *app) openFeed(path string) (io.ReadCloser, int, error) {
	if path == "-" {
		return io.NopCloser(a.in), 0, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, usage("%w: give a file's name, or - for stdin", err)
	}
	return io.NopCloser(bytes.NewReader(content)), countLines(content), nil
}

func countLines(content []byte) int {
	lines := 0
	for _, line := range bytes.Split(content, []byte("\n")) {
		if len(bytes.TrimSpace(line)) > 0 {
			lines++
		}
	}
	return lines
}

func (a *app) printFeed(result feed.Result, took time.Duration) error {
	return a.print(struct {
		feed.Result
		ElapsedS float64 `json:"elapsed_s"`
	}{result, took.Seconds()}, func(w io.Writer) error {
		fmt.Fprintf(w, "%s of %s in %s: %d accepted, %d duplicates, %d rejected, %d unknown\n",
			plural(result.Lines, "line"), plural(result.Interactions, "interaction"), draw.Duration(took), result.Accepted, result.Duplicates, len(result.Rejected), result.Unknown)
		for _, u := range result.Unanswered {
			fmt.Fprintf(w, "  %s did not answer, outcome unknown of %s: %s\n", u.Interaction, linesOf(u.Lines), u.Reason)
		}
		return printRejections(w, result.Rejected)
	})
}

// linesOf names the first ten of the lines and counts the rest.
func linesOf(numbers []int) string {
	const named = 10
	word := "line "
	if len(numbers) > 1 {
		word = "lines "
	}
	texts := make([]string, 0, named)
	for _, number := range numbers[:min(named, len(numbers))] {
		texts = append(texts, strconv.Itoa(number))
	}
	text := word + strings.Join(texts, ", ")
	if rest := len(numbers) - named; rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}

func printRejections(w io.Writer, rejections []feed.Rejection) error {
	for _, r := range rejections {
		about := ""
		if r.Interaction != "" {
			about = r.Interaction + ": "
		}
		if _, err := fmt.Fprintf(w, "  line %d: %s%s\n", r.Line, about, r.Reason); err != nil {
			return err
		}
	}
	return nil
}
