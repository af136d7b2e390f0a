// Command english finds phrases that Segue's text does not use: metaphors, archaic words and roundabout constructions
// for which the field has a plain term. It reads every text file that is checked in, or those below the paths given.
//
//	.ci/english             the whole repository
//	.ci/english docs README.md
//
// It prints one line for each finding and exits with status 1 if there is any.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

func main() {
	findings, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "english:", err)
		os.Exit(2)
	}
	if findings > 0 {
		fmt.Fprintf(os.Stderr, "english: %d phrases to reword; tools/english/phrases.go lists them all\n", findings)
		os.Exit(1)
	}
}

// run checks the files below the paths, which are relative to the root of the repository.
func run(paths []string) (findings int, err error) {
	root, err := filepath.Abs(os.Getenv("SEGUE_ROOT"))
	if err != nil {
		return 0, err
	}
	files, err := list(root, paths)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(os.Stdout)
	defer func() {
		if flushed := out.Flush(); err == nil {
			err = flushed
		}
	}()
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(root, file))
		if os.IsNotExist(err) {
			continue // deleted, and the deletion is not committed yet
		}
		if err != nil {
			return findings, err
		}
		if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) {
			continue // binary
		}
		for _, f := range check(string(text)) {
			fmt.Fprintf(out, "%s:%d: %q: write %s\n", file, f.line, f.phrase, f.instead)
			findings++
		}
	}
	return findings, nil
}

// list returns the files that Git knows or would add. A copy without Git is walked instead.
func list(root string, paths []string) ([]string, error) {
	command := exec.Command("git", append([]string{"-c", "safe.directory=*", "-C", root,
		"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"}, paths...)...)
	output, err := command.Output()
	if err != nil {
		output, err = walk(root, paths)
	}
	var files []string
	for file := range strings.SplitSeq(strings.TrimSuffix(string(output), "\x00"), "\x00") {
		if file != "" && !isExcluded(file) {
			files = append(files, file)
		}
	}
	return files, err
}

// walk lists the files below the paths in the format of `git ls-files -z`.
func walk(root string, paths []string) ([]byte, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var output bytes.Buffer
	for _, path := range paths {
		err := filepath.WalkDir(filepath.Join(root, path), func(file string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			relative, err := filepath.Rel(root, file)
			output.WriteString(filepath.ToSlash(relative) + "\x00")
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return output.Bytes(), nil
}

// isExcluded reports whether a file is not prose of ours: this command, which lists the phrases, recorded histories,
// checksums, and the day's generated lines.
func isExcluded(file string) bool {
	return strings.HasPrefix(file, "tools/english/") || strings.HasPrefix(file, "replay/testdata/") ||
		strings.HasPrefix(file, ".git/") || strings.HasSuffix(file, ".sum") || strings.HasSuffix(file, ".ndjson")
}
