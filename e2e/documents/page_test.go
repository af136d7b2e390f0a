package documents_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The ways to run a block.
const (
	asWritten    = ""
	untilStopped = "until stopped"
	flagsOnly    = "flags"
	never        = "never"
)

// block is a block of commands of a page, or a file.
type block struct {
	line     int
	mode     string
	reason   string
	file     string // what the block is, if it is a file
	text     string
	commands []command
}

// command is one command of a block, with what its comment promises.
type command struct {
	line   int
	text   string // without the comment
	status string // of curl: 2xx, or what the comment names
	code   int    // of the process
	prints string // what the output must contain
}

var (
	modeMark  = regexp.MustCompile(`^<!-- run: (until stopped|flags|never)(?:, (.+))? -->$`)
	fileMark  = regexp.MustCompile(`^<!-- file: (\S+) -->$`)
	comment   = regexp.MustCompile(`\s+#\s+(.*)$`)
	promised  = regexp.MustCompile(`^(\d{3})\b(?:: )?(.*)$`)
	exitCode  = regexp.MustCompile(`exit code (\d)`)
	fenceMark = "```"
)

// blocksOf returns the blocks of a page that are commands, and those that are files.
func blocksOf(t *testing.T, page string) []block {
	t.Helper()
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	var blocks []block
	var next block
	lines := strings.Split(string(content), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "<!-- run:"):
			mark := modeMark.FindStringSubmatch(line)
			require.NotNil(t, mark, "%s:%d: %s: not a way to run a block", page, i+1, line)
			require.True(t, mark[1] == untilStopped || mark[2] != "", "%s:%d: give a reason", page, i+1)
			next.mode, next.reason = mark[1], mark[2]
		case strings.HasPrefix(line, "<!-- file:"):
			mark := fileMark.FindStringSubmatch(line)
			require.NotNil(t, mark, "%s:%d: %s", page, i+1, line)
			next.file = mark[1]
		case strings.HasPrefix(line, fenceMark):
			start := i + 1
			for i++; !strings.HasPrefix(lines[i], fenceMark); i++ {
			}
			next.line, next.text = start, strings.Join(lines[start:i], "\n")+"\n"
			if next.file == "" && line == fenceMark+"sh" {
				next.commands = commandsOf(lines[start:i], start+1)
			}
			if next.file != "" || next.commands != nil {
				blocks = append(blocks, next)
			}
			require.True(t, next.mode == asWritten || next.commands != nil, "%s:%d: the mark is not in front of commands", page, start)
			next = block{}
		}
	}
	return blocks
}

// commandsOf reads the lines of a block: one command a line, unless it ends in a backslash.
func commandsOf(lines []string, first int) []command {
	var commands []command
	for i := 0; i < len(lines); i++ {
		text, line := lines[i], first+i
		for strings.HasSuffix(text, `\`) {
			i++
			text = strings.TrimSuffix(text, `\`) + strings.TrimSpace(lines[i])
		}
		if text = strings.TrimSpace(text); text != "" && !strings.HasPrefix(text, "#") {
			commands = append(commands, commandOf(text, line))
		}
	}
	return commands
}

func commandOf(text string, line int) command {
	c := command{line: line, text: text, status: "2"}
	at := comment.FindStringSubmatchIndex(text)
	if at == nil {
		return c
	}
	c.text = strings.TrimSpace(text[:at[0]])
	about := text[at[2]:at[3]]
	if code := exitCode.FindStringSubmatch(about); code != nil {
		c.code, _ = strconv.Atoi(code[1])
	}
	prints := ""
	if status := promised.FindStringSubmatch(about); status != nil {
		c.status, prints = status[1], status[2]
	} else if strings.HasPrefix(about, `"`) {
		prints = about
	}
	prints, _, _ = strings.Cut(prints, ";")
	prints, _, _ = strings.Cut(prints, "…")
	c.prints = strings.TrimSpace(prints)
	return c
}

func TestACommandIsReadWithWhatItPromises(t *testing.T) {
	for text, want := range map[string]command{
		`segue version`: {text: "segue version", status: "2"},
		`curl --json '{}' $API/x     # 409: connect is not legal in state handling; legal: …`: {text: `curl --json '{}' $API/x`, status: "409", prints: "connect is not legal in state handling"},
		`curl $API   # "duplicate":true`:                     {text: "curl $API", status: "2", prints: `"duplicate":true`},
		`segue feed x     # exit code 4: some lines are bad`: {text: "segue feed x", status: "2", code: 4},
		`curl $API # 202; 409 if it is not parked`:           {text: "curl $API", status: "202"},
		`curl 'http://x/#a'`:                                 {text: `curl 'http://x/#a'`, status: "2"},
	} {
		require.Equal(t, want, commandOf(text, 0), text)
	}
}
