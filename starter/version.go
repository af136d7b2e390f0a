package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is what `version --json` prints. What the build does not know is empty.
type version struct {
	// Version is a release, or "unreleased".
	Version string `json:"version"`
	// Commit is the revision of the sources, At its time (RFC 3339); Changed is whether they had changes that were not committed.
	Commit  string `json:"commit,omitempty"`
	At      string `json:"at,omitempty"`
	Changed bool   `json:"changed,omitempty"`
	Go      string `json:"go"`
	SDK     string `json:"temporal_sdk"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of Segue, of Go, and of the Temporal SDK",
		Long: `Print the version and the commit that this program was built from, and the versions of Go and of the Temporal SDK in
it. ` + "`go run`" + ` does not know the commit; ` + "`go build`" + ` in a checkout does.

Exit codes: 0 success; 2 the command line is invalid.`,
		Example: `  segue version
  segue version --json | jq -r .commit`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return fmt.Errorf("this program was built without modules: build it with `go build -o segue ./starter`")
			}
			v := versionOf(info)
			return a.print(v, v.write)
		},
	}
}

func versionOf(info *debug.BuildInfo) version {
	v := version{Version: "unreleased", Go: info.GoVersion}
	// Without a tag, Go makes up a version from the commit.
	if tagged := info.Main.Version; strings.HasPrefix(tagged, "v") && !strings.HasPrefix(tagged, "v0.0.0-") {
		v.Version = tagged
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Commit = setting.Value
		case "vcs.time":
			v.At = setting.Value
		case "vcs.modified":
			v.Changed = setting.Value == "true"
		}
	}
	for _, module := range info.Deps {
		if module.Path == "go.temporal.io/sdk" {
			v.SDK = module.Version
		}
	}
	return v
}

func (v version) write(w io.Writer) error {
	built := ""
	if v.Commit != "" {
		built = fmt.Sprintf(", commit %.12s of %s", v.Commit, v.At)
	}
	if v.Changed {
		built += " with changes"
	}
	_, err := fmt.Fprintf(w, "segue %s%s\n%s, Temporal SDK %s\n", v.Version, built, v.Go, v.SDK)
	return err
}
