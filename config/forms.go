package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"segue/delivery"
	"segue/expr"
)

// form is what a single value must look like. The loader reports what is wrong with a
// text; the schema accepts at least what the loader accepts.
type form struct {
	// mistake returns what is wrong with a text and what to write instead, and an empty
	// problem if nothing is.
	mistake func(s string) (problem, remedy string)
	schema  object
}

// anyText accepts every value.
var anyText = form{
	mistake: func(string) (string, string) { return "", "" },
	schema:  object{"type": []string{"string", "number", "boolean"}},
}

// optional is a form that may also be empty.
func optional(f form) form {
	return form{
		mistake: func(s string) (string, string) {
			if s == "" {
				return "", ""
			}
			return f.mistake(s)
		},
		schema: object{"anyOf": []object{f.schema, {"const": ""}}},
	}
}

func oneOf(values ...string) form {
	return form{
		mistake: func(s string) (string, string) {
			if slices.Contains(values, s) {
				return "", ""
			}
			return quoted(s) + " is not one of the values", expr.Suggest(s, values)
		},
		schema: object{"enum": values},
	}
}

var checkDuration = durationUpTo(0)

// durationUpTo is the form of a duration that is at most as long; 0 leaves it to the
// bound of every duration.
func durationUpTo(most time.Duration) form {
	return form{
		mistake: func(s string) (string, string) {
			d, problem, remedy := parseDuration(s)
			if problem == "" && most > 0 && d > most {
				return fmt.Sprintf("%s is out of range", d), fmt.Sprintf("write %s to %s", time.Duration(0), most)
			}
			return problem, remedy
		},
		schema: ref("duration"),
	}
}

// durationBetween is the form of a duration with both bounds.
func durationBetween(least, most time.Duration) form {
	return form{
		mistake: func(s string) (string, string) {
			d, problem, remedy := parseDuration(s)
			if problem == "" && (d < least || d > most) {
				return fmt.Sprintf("%s is out of range", d), fmt.Sprintf("write %s to %s", short(least), short(most))
			}
			return problem, remedy
		},
		schema: ref("duration"),
	}
}

// sizeBetween is the form of a number of bytes with both bounds.
func sizeBetween(least, most int64) form {
	return form{
		mistake: func(s string) (string, string) {
			bytes, problem, remedy := parseSize(s)
			if problem != "" {
				return problem, fmt.Sprintf("write %s to %s", size(least), size(most))
			}
			if bytes < least || bytes > most {
				return quoted(s) + " is out of range", fmt.Sprintf("write %s to %s", size(least), size(most))
			}
			return problem, remedy
		},
		schema: ref("size"),
	}
}

var checkBool = form{
	mistake: func(s string) (string, string) {
		if _, err := strconv.ParseBool(s); err != nil {
			return "this is neither true nor false", "write true or false"
		}
		return "", ""
	},
	schema: object{"type": []string{"boolean", "string", "integer"}, "pattern": "^([01tTfF]|true|True|TRUE|false|False|FALSE)$", "minimum": 0, "maximum": 1},
}

var checkHostPort = form{
	mistake: func(s string) (string, string) {
		_, port, err := net.SplitHostPort(s)
		_, convErr := strconv.ParseUint(port, 10, 16)
		if err != nil || convErr != nil {
			return quoted(s) + " is not an address", "write host:port with a port from 0 to 65535"
		}
		return "", ""
	},
	schema: object{"type": "string", "pattern": ":[0-9]+$"},
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

var checkName = form{
	mistake: func(s string) (string, string) {
		if !namePattern.MatchString(s) {
			return quoted(s) + " is not a name", "use letters, digits, dots, dashes and underscores, at most 64"
		}
		return "", ""
	},
	schema: object{"type": []string{"string", "number", "boolean"}, "pattern": namePattern.String()},
}

var deploymentPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

var checkDeployment = form{
	mistake: func(s string) (string, string) {
		if !deploymentPattern.MatchString(s) {
			return quoted(s) + " is not the name of a deployment", "use letters, digits, dashes and underscores, at most 64"
		}
		return "", ""
	},
	schema: object{"type": []string{"string", "number", "boolean"}, "pattern": deploymentPattern.String()},
}

var buildPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`) // Temporal servers accept half of 255, less a prefix

var checkBuildID = form{
	mistake: func(s string) (string, string) {
		if !buildPattern.MatchString(s) {
			return quoted(s) + " is not a build id", "use letters, digits, dots, dashes, underscores and pluses, at most 100, such as 1.4.0 or a commit"
		}
		return "", ""
	},
	schema: object{"type": []string{"string", "number", "boolean"}, "pattern": buildPattern.String()},
}

// checkChannels checks a list of channels that is one text: "email, sms".
var checkChannels = form{
	mistake: func(s string) (string, string) {
		names := channelNames()
		for _, channel := range channelsOf(s) {
			if !slices.Contains(names, string(channel)) {
				return quoted(string(channel)) + " is not a channel", expr.Suggest(string(channel), names)
			}
		}
		return "", ""
	},
	schema: object{"type": "string", "pattern": `^[\s,]*((` + strings.Join(channelNames(), "|") + `)[\s,]*)*$`},
}

var checkSecret = form{
	mistake: func(s string) (string, string) {
		kind, rest, _ := strings.Cut(s, ":")
		if (kind == "env" || kind == "file") && rest != "" && !strings.ContainsAny(rest, "\n\r\x00") {
			return "", ""
		}
		return "expected a reference to a secret, not the secret itself", "write env:NAME or file:PATH"
	},
	schema: ref("secret"),
}

var queuePattern = regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,255}$`)

var checkQueue = form{
	mistake: func(s string) (string, string) {
		if !queuePattern.MatchString(s) {
			return quoted(s) + " is not the name of a queue", "use 1 to 255 characters in one line"
		}
		return "", ""
	},
	schema: object{"type": []string{"string", "number"}, "pattern": queuePattern.String()},
}

var checkBackend = form{
	mistake: func(s string) (string, string) {
		u, err := url.Parse(s)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
			return quoted(s) + " is not the URL of a backend", "write https://host:port"
		case u.User != nil:
			return "a URL cannot contain a user and a password", "define the calls engage and noengage with auth"
		case strings.ContainsAny(s, "?#${"):
			return quoted(s) + " has a query, a fragment or an expression", "write https://host:port"
		}
		return "", ""
	},
	schema: object{"type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://[^?#${]+$"},
}

// checkProxy checks the URL of a proxy. No error repeats it: it may contain a password.
var checkProxy = form{
	mistake: func(s string) (string, string) {
		if _, err := new(delivery.Guard).Through(delivery.Proxy{URL: s}); err != nil {
			return "this is not the URL of a proxy, or it contains a secret", "write http://host:port; set the user name and the password with username and password"
		}
		return "", ""
	},
	schema: object{"type": "string", "pattern": "^[hH][tT][tT][pP]://[^/?#@]+$"},
}

// checkReach checks an entry of guard.allow.
var checkReach = form{
	mistake: func(s string) (string, string) {
		if _, err := delivery.NewGuard([]string{s}); err != nil {
			return quoted(s) + " is not an address, range or host", `write "10.0.0.0/8", "192.0.2.7" or a host name, with or without ports, as in "crm.internal:443" and "[fd00::/8]:8000-8999"`
		}
		return "", ""
	},
	schema: object{"pattern": `^([A-Za-z0-9_.-]+|[0-9A-Fa-f:.]+(/[0-9]{1,3})?|\[[0-9A-Fa-f:.]+(/[0-9]{1,3})?\])(:[0-9]+(-[0-9]+)?)?$`},
}

var hostPattern = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)
