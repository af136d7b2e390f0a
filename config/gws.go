package config

import (
	"fmt"
	"regexp"
)

// fileGWS is gateway.gws.
type fileGWS struct {
	CSRF     setting       `yaml:"csrf"`
	Workbins []fileWorkbin `yaml:"workbins"`
}

type fileWorkbin struct {
	ID          string `yaml:"id" scalar:"true"`
	Name        string `yaml:"name" scalar:"true"`
	DisplayName string `yaml:"display_name" scalar:"true"`
}

// csrfRequired is the value of gateway.gws.csrf that requires a token.
const csrfRequired = "required"

// A workbin's id is what place_in_workbin names, and a segment of a path: a slash would be another path.
var (
	workbinIDPattern   = regexp.MustCompile(`^[^/\x00-\x1f\x7f]{1,128}$`)
	workbinTextPattern = regexp.MustCompile(`^[^\x00-\x1f\x7f]{0,128}$`)
)

// workbins checks gateway.gws.workbins.
func (l *loader) workbins(list []fileWorkbin) []Workbin {
	const path = "gateway.gws.workbins"
	l.bounded(path, len(list), maxList)
	seen := map[string]int{}
	var workbins []Workbin
	for i, f := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		first, twice := seen[f.ID]
		switch {
		case f.ID == "":
			l.decoder.fail(at+".id", "", "the id is missing", "write id: …")
		case !workbinIDPattern.MatchString(f.ID) || f.ID == "." || f.ID == "..":
			l.decoder.fail(at+".id", f.ID, quoted(f.ID)+" is not the id of a workbin", "use 1 to 128 characters without a slash")
		case twice:
			l.decoder.fail(at+".id", f.ID, fmt.Sprintf("the id %s is used twice, first in line %d", quoted(f.ID), first), "use another id")
		default:
			seen[f.ID] = l.decoder.line(at + ".id")
		}
		for _, text := range []struct{ key, value string }{{"name", f.Name}, {"display_name", f.DisplayName}} {
			if !workbinTextPattern.MatchString(text.value) {
				l.decoder.fail(at+"."+text.key, text.value, quoted(text.value)+" is not a name", "use at most 128 characters in one line")
			}
		}
		workbins = append(workbins, f.withDefaults())
	}
	return workbins
}

// withDefaults names a workbin by its id, and shows it by its name.
func (f fileWorkbin) withDefaults() Workbin {
	if f.Name == "" {
		f.Name = f.ID
	}
	if f.DisplayName == "" {
		f.DisplayName = f.Name
	}
	return Workbin(f)
}
