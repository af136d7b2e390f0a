package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/client/lanes"
	"segue/delivery"
)

// laneFlags are the flags that choose deliveries, the same for looking and for acting.
type laneFlags struct {
	call, contactCenter, class, since string

	ids   []string
	limit int
}

func (f *laneFlags) register(c *cobra.Command, limit int) {
	flags := c.Flags()
	flags.StringVar(&f.call, "call", "", "only of this configured call")
	flags.StringVar(&f.contactCenter, "contact-center", "", "only of this contact center; an interaction that names none is of "+defaultContactCenter)
	flags.StringVar(&f.class, "class", "", "only those that failed last in this way, such as gone, http_4xx, timeout or render")
	flags.StringVar(&f.since, "since", "", "only those that failed last since then: a duration (2h) or a time (2026-01-31T08:00:00Z)")
	flags.StringSliceVar(&f.ids, "id", nil, "only this delivery, by its webhook-id; may be given more than once")
	flags.IntVar(&f.limit, "limit", limit, "how many at most")
}

// filter reads the flags, and the interaction that the arguments may name.
func (f *laneFlags) filter(args []string, now time.Time) (lanes.Filter, error) {
	filter := lanes.Filter{ContactCenter: f.contactCenter, Call: f.call, Class: f.class, IDs: f.ids}
	if f.limit < 1 {
		return filter, usage("--limit %d: use 1 or more", f.limit)
	}
	if f.class != "" && !slices.Contains(delivery.Classes(), delivery.Class(f.class)) {
		return filter, usage("--class %q: use one of %s", f.class, classes())
	}
	var err error
	if filter.Since, err = sinceOf(f.since, now); err != nil {
		return filter, err
	}
	if len(args) > 0 {
		n, err := f.name(args[0])
		if err != nil {
			return filter, err
		}
		filter.ContactCenter, filter.Interaction = n.ContactCenter, n.ID
	}
	return filter, nil
}

func (f *laneFlags) name(text string) (client.Name, error) {
	return name(text, cmp.Or(f.contactCenter, defaultContactCenter))
}

func sinceOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago > 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usage("--since %q: use a duration such as 2h, or a time such as 2026-01-31T08:00:00Z", text)
	}
	return at, nil
}

// classes lists the ways in which a delivery can fail.
func classes() string {
	var names []string
	for _, class := range delivery.Classes() {
		switch class {
		case delivery.ClassOK, delivery.ClassDryRun, delivery.ClassInFlight:
		default:
			names = append(names, string(class))
		}
	}
	return strings.Join(names, ", ")
}
