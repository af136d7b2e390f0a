package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"segue/contract"
	"segue/interaction"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// maxFile bounds the configuration file, in bytes.
const maxFile = 4 << 20

// Load reads a configuration file, the environment and the flags. With an empty path it
// reads the environment and the flags only: the set has no calls. The error is of type
// Errors.
func Load(path string, options ...Option) (*Set, error) {
	set, _, err := load(path, options)
	return set, err
}

// load is Load, and also returns the state of the file that it read, nil if there was none.
func load(path string, options []Option) (*Set, os.FileInfo, error) {
	if path == "" {
		set, err := Parse("", nil, options...)
		return set, nil, err
	}
	data, state, err := readFile(path)
	if err != nil {
		return nil, state, Errors{{File: path, Problem: "cannot be read: " + reason(err), Remedy: "check --config and the file's permissions"}}
	}
	set, err := Parse(path, data, options...)
	if err != nil {
		return nil, state, err
	}
	if set.File, err = filepath.Abs(path); err != nil {
		set.File = path
	}
	return set, state, nil
}

func readFile(path string) ([]byte, os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, stateOf(path), err
	}
	defer f.Close()
	state, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return data, state, err
}

// stateOf returns the state of a file without reading it, nil if there is no file.
func stateOf(path string) os.FileInfo {
	state, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return state
}

func reason(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// loader is one reading of a configuration.
type loader struct {
	decoder *decoder
	file    file
	flags   map[string]*pflag.Flag
	values  map[string]string
	secrets []secretPlace
}

// Parse is Load for a configuration in memory. Errors use name as its file.
func Parse(name string, data []byte, options ...Option) (*Set, error) {
	l := &loader{
		decoder: &decoder{file: name, lines: map[string]int{}, settings: map[string]string{}, unread: map[string]bool{}},
		flags:   map[string]*pflag.Flag{}, values: map[string]string{},
	}
	for _, option := range options {
		option(l)
	}
	root, problem := parseYAML(name, data)
	if problem != nil {
		return nil, Errors{*problem}
	}
	if root != nil {
		l.decoder.decode("", root, reflect.ValueOf(&l.file).Elem(), false)
	}
	if l.decoder.nodes > maxNodes { // the file was not read completely
		return nil, l.decoder.errors.sorted()
	}
	set := &Set{settings: map[string]string{}, calls: map[string]*Call{}, channels: map[interaction.Channel]contract.Timeouts{}}
	set.fill(l.settings())
	l.gateway(set)
	l.bus(set)
	l.timeouts(set)
	l.priorities(set)
	l.guard(set)
	l.queues(set)
	l.calls(set)
	l.desktop(set)
	l.triggers(set)
	if err := l.decoder.errors.sorted(); err != nil {
		return nil, err
	}
	set.blank, set.secrets = root == nil, l.secrets
	set.Version, set.access = l.version(set, root), accessOf(set.Gateway)
	for _, c := range set.calls {
		c.Policy.Version = set.Version
		c.Template = c.Template.WithVersion(set.Version)
	}
	return set, nil
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// parseYAML reads the only document of a file. It returns nil for an empty file.
func parseYAML(name string, data []byte) (root *yaml.Node, problem *Error) {
	defer func() {
		if p := recover(); p != nil { // a bug of the parser must not end a process that reloads
			root, problem = nil, &Error{File: name, Problem: fmt.Sprintf("is not YAML: %v", p)}
		}
	}()
	if len(data) > maxFile {
		return nil, &Error{File: name, Problem: fmt.Sprintf("is larger than %d MiB", maxFile>>20), Remedy: "make it smaller"}
	}
	reader := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := reader.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, syntaxError(name, data, err)
	}
	var second yaml.Node
	if err := reader.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntaxError(name, data, err)
		}
		return nil, &Error{File: name, Line: second.Line, Problem: "a second document begins here", Remedy: "keep one document, and remove ---"}
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	if n := document.Content[0]; n.Kind != yaml.ScalarNode || n.ShortTag() != "!!null" {
		return n, nil
	}
	return nil, nil
}

func syntaxError(name string, data []byte, err error) *Error {
	e := &Error{File: name}
	problem := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(problem); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		problem = strings.Replace(problem, m[0], "", 1)
	}
	what, remedy := explainedYAML(problem, data, e.Line)
	e.Problem, e.Remedy = "is not YAML: "+what, remedy
	return e
}
