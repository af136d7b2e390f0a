package platform

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"time"

	"segue/gateway/board"
	"segue/gateway/presence"
	"segue/gateway/problem"
)

// queuesAnswer is the queues of a contact center.
type queuesAnswer struct {
	Body struct {
		Queues []queueItem `json:"queues"`
		Since  time.Time   `json:"since" doc:"When the counts of the window begin: later than a window ago if the gateway was started since."`
	}
}

type queueItem struct {
	Name          string   `json:"name" doc:"The name of the queue." example:"sales"`
	Waiting       int      `json:"waiting" doc:"How many interactions wait for an agent."`
	OldestSeconds int64    `json:"oldest_seconds" doc:"How long the first of them has waited; 0 if none waits."`
	Offered       int      `json:"offered" doc:"How many are offered to agents."`
	Handling      int      `json:"handling" doc:"How many agents work on: dialing, handling, consulting, conference and composing."`
	Handled       int      `json:"handled" doc:"How many ended in the window, handled, and were in this queue last."`
	Abandoned     int      `json:"abandoned" doc:"How many ended in the window, abandoned, and were in this queue last."`
	ServiceLevel  *float64 `json:"service_level,omitempty" minimum:"0" maximum:"1" doc:"The share of the interactions that left the queue in the window that an agent answered in time; absent if none left it."`
}

// agentsAnswer is the agents of a contact center.
type agentsAnswer struct {
	Body struct {
		Agents []agentItem `json:"agents"`
	}
}

type agentItem struct {
	ID           string     `json:"id" doc:"The id of the agent." example:"ann"`
	Name         string     `json:"name,omitempty" doc:"The name of the agent, if it is known." example:"Ann"`
	State        string     `json:"state" doc:"What the agent does: the segment of the most important of the agent's legs, in this order: in_conference, consulting, handling, dialing, wrap_up, preview, offered; idle without any." example:"handling"`
	Since        *time.Time `json:"since,omitempty" doc:"Since when; absent if the gateway was started later and the live stream no longer has it."`
	Interactions []legItem  `json:"interactions" doc:"The open interactions in which the agent has a part, offers too, the oldest first."`
	// Presence is nil for an agent who is logged out.
	Presence *presenceItem `json:"presence,omitempty" doc:"Whether the agent is ready; absent for an agent who is not logged in. It withholds no offer."`
}

type presenceItem struct {
	State    string         `json:"state" doc:"The state of the agent: NotReady, Ready, or another that the desktop has set. If those of the channels differ, the busiest." example:"Ready"`
	Since    time.Time      `json:"since" doc:"Since when."`
	Channels []agentChannel `json:"channels" doc:"The channels for which the agent is logged in."`
}

type legItem struct {
	ID      string     `json:"id" doc:"The id of the interaction." example:"ixn-1"`
	Channel string     `json:"channel" doc:"The channel of the interaction." example:"inbound"`
	Queue   string     `json:"queue,omitempty" doc:"The current or last queue."`
	State   string     `json:"state" doc:"The segment of the agent's leg." example:"handling"`
	Role    string     `json:"role,omitempty" doc:"The agent's role: owner, assigned, consulted, conference or wrap_up; absent for an offer."`
	Held    bool       `json:"held,omitempty" doc:"The agent is on hold."`
	Since   *time.Time `json:"since,omitempty" doc:"When the leg entered the segment."`
}

// receiversAnswer is the receivers of the installation.
type receiversAnswer struct {
	Body struct {
		Receivers []receiverItem `json:"receivers"`
	}
}

type receiverItem struct {
	Call          string `json:"call" doc:"The configured call." example:"crm"`
	State         string `json:"state" enum:"healthy,slow,failing,breaker_open,unknown" doc:"The worst state that a worker reports. slow: the p95 is above 75 ms. failing: the last attempt got no response, or 429 or 5xx. breaker_open: five attempts in a row got no response, and no probe has succeeded since. unknown: no worker has reported in the last 15 seconds."`
	Waiting       *int   `json:"waiting,omitempty" doc:"How many interactions of the contact center have deliveries that wait for the receiver, without those of which one is parked."`
	Parked        *int   `json:"parked,omitempty" doc:"How many deliveries of the contact center are parked. Absent, like waiting, if they cannot be counted."`
	OldestSeconds *int64 `json:"oldest_seconds,omitempty" doc:"How long the first of all these interactions has waited; 0 if there is none."`
	P95           int64  `json:"p95_ms,omitempty" doc:"The 95th percentile of the duration of the last 20 attempts, in milliseconds, the highest of all workers; absent if there were none in ten minutes."`
}

// boardRoutes registers what supervisors watch.
func boardRoutes(a *api) {
	register(a, route{
		id: "list_queues", method: http.MethodGet, path: "/queues", tag: "boards", summary: "Read the queues",
		about: "Returns the figures of the queues of a contact center, by name: those of the configuration, and all that are in use. handled, abandoned and " +
			"service_level are over board.window of the configuration (1h); answered within board.service_level (20s) is answered in time.",
		status: http.StatusOK,
	}, a.queues)
	register(a, route{
		id: "list_agents", method: http.MethodGet, path: "/agents", tag: "boards", summary: "Read what agents do",
		about: "Returns the agents of a contact center by id: those who have a part in an open interaction, offers too, those who had one in " +
			"board.window of the configuration (1h) and are idle now, and those who are logged in.",
		status: http.StatusOK,
	}, a.agents)
	register(a, route{
		id: "list_receivers", method: http.MethodGet, path: "/receivers", tag: "boards", summary: "Read the state of receivers",
		about: "Returns the receivers of the configured calls. Their states are those of the installation; the counts are of the contact center " +
			"alone, and a few seconds old.",
		status: http.StatusOK,
	}, a.receivers)
}

// watcher returns the scope of somebody who may watch queues, agents and receivers.
func (s *Scoped) watcher(ctx context.Context) (scope, error) {
	found, err := s.list(ctx, "")
	if err == nil && found.isAgent() {
		err = fail(problem.NotPermitted, "queues, agents, receivers and deliveries are for the roles platform, admin and supervisor")
	}
	return found, err
}

func (a *api) queues(ctx context.Context, in *Scoped) (*queuesAnswer, error) {
	s, err := in.watcher(ctx)
	if err != nil {
		return nil, err
	}
	a.Index.Catch(ctx)
	out := &queuesAnswer{}
	out.Body.Queues, out.Body.Since = []queueItem{}, a.Board.Since().UTC()
	for _, q := range a.Board.Queues(s.contactCenter) {
		item := queueItem{Name: q.Name, Waiting: q.Waiting, OldestSeconds: seconds(q.Oldest), Offered: q.Offered, Handling: q.Handling, Handled: q.Handled, Abandoned: q.Abandoned}
		if q.Left > 0 {
			share := math.Round(1000*float64(q.InTime)/float64(q.Left)) / 1000
			item.ServiceLevel = &share
		}
		out.Body.Queues = append(out.Body.Queues, item)
	}
	return out, nil
}

func (a *api) agents(ctx context.Context, in *Scoped) (*agentsAnswer, error) {
	s, err := in.watcher(ctx)
	if err != nil {
		return nil, err
	}
	a.Index.Catch(ctx)
	out := &agentsAnswer{}
	out.Body.Agents = []agentItem{}
	for _, agent := range a.Board.Agents(s.contactCenter) {
		item := agentItem{ID: agent.ID, Name: agent.Name, State: agent.State, Since: knownTime(agent.Since), Interactions: []legItem{}}
		for _, l := range agent.Legs {
			item.Interactions = append(item.Interactions, legItem{
				ID: l.Interaction, Channel: string(l.Channel), Queue: l.Queue, State: l.State, Role: l.Role, Held: l.Held, Since: knownTime(l.Since),
			})
		}
		out.Body.Agents = append(out.Body.Agents, item)
	}
	if a.Presence != nil {
		out.Body.Agents = withPresence(out.Body.Agents, a.Presence.List(s.contactCenter))
	}
	return out, nil
}

// withPresence adds the presence of agents who are logged in to a list by id, and those whom it lacks.
func withPresence(list []agentItem, loggedIn []presence.Agent) []agentItem {
	at := make(map[string]int, len(list))
	for i := range list {
		at[list[i].ID] = i
	}
	for i := range loggedIn {
		p := &loggedIn[i]
		index, ok := at[p.ID]
		if !ok {
			index = len(list)
			list = append(list, agentItem{ID: p.ID, State: board.Idle, Interactions: []legItem{}})
		}
		list[index].Presence = &presenceItem{State: p.State, Since: p.Since.UTC(), Channels: agentChannels(p)}
	}
	slices.SortFunc(list, func(x, y agentItem) int { return cmp.Compare(x.ID, y.ID) })
	return list
}

func (a *api) receivers(ctx context.Context, in *Scoped) (*receiversAnswer, error) {
	s, err := in.watcher(ctx)
	if err != nil {
		return nil, err
	}
	out := &receiversAnswer{}
	out.Body.Receivers = []receiverItem{}
	for _, r := range a.Board.Receivers(ctx, s.contactCenter) {
		out.Body.Receivers = append(out.Body.Receivers, receiverOf(r))
	}
	return out, nil
}

func receiverOf(r board.Receiver) receiverItem {
	item := receiverItem{Call: r.Call, State: r.State, P95: r.P95}
	if r.Counted {
		oldest := seconds(r.Oldest)
		item.Waiting, item.Parked, item.OldestSeconds = &r.Waiting, &r.Parked, &oldest
	}
	return item
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// knownTime returns nil for a time that is not known.
func knownTime(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}
