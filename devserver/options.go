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

// noUI as the UI's port means that no UI is served.
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
	flags.IntVar(&o.port, "port", 7233, "port of the Temporal gRPC API; 0 takes a free one")
	flags.IntVar(&o.uiPort, "ui-port", 8233, "port of the Temporal UI; 0 takes a free one, -1 serves no UI")
	flags.StringVar(&o.uiCodecEndpoint, "ui-codec-endpoint", "", "`URL` of the codec server the UI decodes payloads with")
	flags.StringVar(&o.namespace, "namespace", "default", "namespace to create at start")
	flags.StringVar(&o.db, "db", "", "SQLite `file`, or postgres://user:password@host:port/name, to keep everything in; without it, it is in memory")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelError, "least `level` to log: debug, info, warn or error")
	flags.BoolVar(&o.exitWithStdin, "exit-with-stdin", false, "end when standard input ends")
	flags.Var(o.searchAttributes, "search-attribute", "`Name=Type` of a search attribute of the namespace (repeatable)")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, o.check()
}

func (o options) check() error {
	ip := net.ParseIP(o.ip)
	switch {
	case ip == nil || !ip.IsLoopback():
		return fmt.Errorf("--ip %s is no loopback address; this server has no authentication and stays on the machine", o.ip)
	case o.port < 0 || o.port > 65535:
		return fmt.Errorf("--port %d is no port", o.port)
	case o.uiPort < noUI || o.uiPort > 65535:
		return fmt.Errorf("--ui-port %d is no port (nor -1, for no UI)", o.uiPort)
	case o.port != 0 && o.port == o.uiPort:
		return fmt.Errorf("--port and --ui-port are both %d", o.port)
	case o.namespace == "":
		return errors.New("--namespace is empty")
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
		return errors.New("want Name=Type, like CustomerTier=Keyword")
	}
	valueType, err := enumspb.IndexedValueTypeFromString(typeName)
	if err != nil || valueType == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
		return fmt.Errorf("%q is no search attribute type; Keyword, Int, Text, Bool, Double, Datetime and KeywordList are", typeName)
	}
	if previous, twice := s[name]; twice && previous != valueType {
		return fmt.Errorf("%s is given as %s and as %s", name, previous, valueType)
	}
	s[name] = valueType
	return nil
}
