package lifecycle_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// chapter is one interaction of a table.
type chapter struct {
	title string
	start string
	steps []step
	// moments are those that the interaction fires, in order; replies are those of its first reply.
	moments, replies []string
}

// step is one command, or the time until the next one.
type step struct {
	command, payload string
	// toReply is set if the command is for the first reply.
	toReply bool
	wait    time.Duration
}

// readTable reads the chapters of a channel.
func readTable(t *testing.T, channel string) []*chapter {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", channel+".txt"))
	require.NoError(t, err)
	var chapters []*chapter
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\n")
		if title, ok := strings.CutPrefix(line, "# "); ok {
			chapters = append(chapters, &chapter{title: title})
			continue
		}
		if line == "" {
			continue
		}
		require.NotEmpty(t, chapters, line)
		chapters[len(chapters)-1].read(t, line)
	}
	return chapters
}

func (c *chapter) read(t *testing.T, line string) {
	text := strings.TrimSpace(line)
	rest, ofReply := strings.CutPrefix(text, "~1 ")
	if text != line {
		if ofReply {
			c.replies = append(c.replies, rest)
			return
		}
		c.moments = append(c.moments, rest)
		return
	}
	command, payload, _ := strings.Cut(rest, " ")
	switch command {
	case "start":
		c.start = payload
	case "wait":
		wait, err := time.ParseDuration(payload)
		require.NoError(t, err, line)
		c.steps = append(c.steps, step{wait: wait})
	default:
		c.steps = append(c.steps, step{command: command, payload: payload, toReply: ofReply})
	}
}

// called returns the name of the call that a line of a table must fire besides "everything": the segment with its
// leg, or the moment.
func called(line string) string {
	line, _, _ = strings.Cut(line, " <- ")
	name, _, _ := strings.Cut(line, " ")
	return name
}

// paired returns the change of the older ECS page that a line is about; empty for none.
func paired(line string) string {
	line, from, ok := strings.Cut(line, " <- ")
	if !ok {
		return ""
	}
	to, _, _ := strings.Cut(line, ".")
	return from + "-to-" + to
}
