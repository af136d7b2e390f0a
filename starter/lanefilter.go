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

// laneFlags select deliveries, in `segue deliveries`, `segue redeliver` and `segue discard` alike.
type laneFlags struct {
	call, contactCenter, class, since string

	ids   []string
	limit int
}

func (f *laneFlags) register(c *cobra.Command, limit int) {
	flags := c.Flags()
	flags.StringVar(&f.call, "call", "", "only deliveries of this configured call")
	flags.StringVar(&f.contactCenter, "contact-center", "", "only deliveries of this contact center; an ID that names none is in "+defaultContactCenter)
	flags.StringVar(&f.class, "class", "", "only deliveries whose last failure is of this class, such as gone, http_4xx, timeout or render")
	flags.StringVar(&f.since, "since", "", "only deliveries whose last failure is not older: a duration (2h) or a time (2026-01-31T08:00:00Z)")
	flags.StringSliceVar(&f.ids, "id", nil, "only the delivery with this webhook-id (repeatable)")
	flags.IntVar(&f.limit, "limit", limit, "maximum number of deliveries")
}

// filter returns the filter of the flags and of the interaction that the arguments may name.
func (f *laneFlags) filter(args []string, now time.Time) (lanes.Filter, error) {
	filter := lanes.Filter{ContactCenter: f.contactCenter, Call: f.call, Class: f.class, IDs: f.ids}
	if f.limit < 1 {
		return filter, usage("--limit %d: use 1 or more", f.limit)
	}
	if f.class != "" && !slices.Contains(delivery.Classes(), delivery.Class(f.class)) {
		return filter, usage("--class %q: use one of %s", f.class, failureClasses())
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
	return parseName(text, cmp.Or(f.contactCenter, defaultContactCenter))
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

// failureClasses lists the classes of failed deliveries.
func failureClasses() string {
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
