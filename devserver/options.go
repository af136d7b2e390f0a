package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
)

// noUI is the UI port that disables the UI.
const noUI = -1

type options struct {
	ip               string
	port             int
	uiPort           int
	uiCodecEndpoint  string
	namespace        string
	db               string
	logLevel         slog.Level
	exitWithStdin    bool
	searchAttributes searchAttributes
}

func parseOptions(args []string) (options, error) {
	o := options{logLevel: slog.LevelError, searchAttributes: searchAttributes{}}
	flags := flag.NewFlagSet("devserver", flag.ContinueOnError)
	flags.StringVar(&o.ip, "ip", "127.0.0.1", "loopback `address` to listen on")
	flags.IntVar(&o.port, "port", 7233, "port of the Temporal gRPC API (0: a free one)")
	flags.IntVar(&o.uiPort, "ui-port", 8233, "port of the Temporal UI (0: a free one, -1: no UI)")
	flags.StringVar(&o.uiCodecEndpoint, "ui-codec-endpoint", "", "`URL` of the codec server that decodes payloads for the UI")
	flags.StringVar(&o.namespace, "namespace", "default", "namespace to create at start")
	flags.StringVar(&o.db, "db", "", "SQLite `file` or postgres://user:password@host:port/name that keeps the state (default: a temporary database)")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelError, "minimum log `level`: debug, info, warn or error")
	flags.BoolVar(&o.exitWithStdin, "exit-with-stdin", false, "exit when standard input ends")
	flags.Var(o.searchAttributes, "search-attribute", "`Name=Type` of a search attribute of the namespace (repeatable)")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q: use flags only; --help lists them", flags.Arg(0))
	}
	return o, o.check()
}

func (o options) check() error {
	ip := net.ParseIP(o.ip)
	switch {
	case ip == nil || !ip.IsLoopback():
		return fmt.Errorf("--ip %s is not a loopback address: this server has no authentication; use 127.0.0.1 or ::1", o.ip)
	case o.port < 0 || o.port > 65535:
		return fmt.Errorf("--port %d: use 1 to 65535, or 0 for a free port", o.port)
	case o.uiPort < noUI || o.uiPort > 65535:
		return fmt.Errorf("--ui-port %d: use 1 to 65535, 0 for a free port, or -1 for no UI", o.uiPort)
	case o.port != 0 && o.port == o.uiPort:
		return fmt.Errorf("--port and --ui-port are both %d: use different ports", o.port)
	case o.namespace == "":
		return errors.New("--namespace is empty: give the name of a namespace")
	}
	if isPostgres(o.db) {
		_, err := parsePostgres(o.db)
		return err
	}
	return nil
}

// searchAttributes is the flag value of Name=Type pairs.
type searchAttributes map[string]enumspb.IndexedValueType

func (s searchAttributes) String() string { return "" }

func (s searchAttributes) Set(pair string) error {
	name, typeName, found := strings.Cut(pair, "=")
	if !found || name == "" {
		return errors.New("use Name=Type, such as CustomerTier=Keyword")
	}
	valueType, err := enumspb.IndexedValueTypeFromString(typeName)
	if err != nil || valueType == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
		return fmt.Errorf("%q is not a type of search attributes: use Keyword, Int, Text, Bool, Double, Datetime or KeywordList", typeName)
	}
	if previous, twice := s[name]; twice && previous != valueType {
		return fmt.Errorf("%s has the types %s and %s: give one", name, previous, valueType)
	}
	s[name] = valueType
	return nil
}
