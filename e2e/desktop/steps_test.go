package desktop_test

import (
	"maps"
	"net/http"
	"sort"
	"strings"

	"github.com/stretchr/testify/require"
)

// medium has the names of a medium.
type medium struct {
	channel, key           string
	invited, working, lost string
}

var (
	call  = medium{"inbound", "call", "Ringing", "Established", "Released"}
	chat  = medium{"chat", "chat", "Invited", "Chatting", "Revoked"}
	email = medium{"email", "email", "Invited", "Processing", "Revoked"}
	media = []medium{call, chat, email}
)

// does sends an operation on an interaction, and sees what it causes: "StatusChange Processing", ….
func (d *desk) does(m medium, id, operation string, fields map[string]any, steps ...string) map[string]any {
	d.Helper()
	body := map[string]any{"operationName": operation}
	for name, value := range fields {
		body[name] = value
	}
	answer := d.must("/me/interactions/"+id, body)
	return d.sees(m, id, answer["referenceId"], steps...)
}

// sees requires that exactly these notifications come next about an interaction, on the topic of its medium and on that of all
// interactions. Then it requires that the last of them shows what the agent reads, if nothing happened since. It returns the
// resource.
func (d *desk) sees(m medium, id string, reference any, steps ...string) map[string]any {
	d.Helper()
	if len(steps) == 0 {
		return nil
	}
	var last note
	topics := []string{topicOf[m.key], topicOf["interaction"]}
	byTopic := map[string][]note{}
	for _, topic := range topics {
		d.until(id+" "+strings.Join(steps, ", "), func() bool { return len(d.notes[id][topic]) >= len(steps) })
		notes := d.notes[id][topic][:len(steps)]
		d.notes[id][topic] = d.notes[id][topic][len(steps):]
		byTopic[topic] = notes
		var came []string
		for _, n := range notes {
			state, _ := n.Resource["state"].(string)
			came = append(came, n.NotificationType+" "+state)
			require.Equal(d, reference, n.Reference, "%s: %v", id, n)
		}
		require.Equal(d, steps, came, "%s: %s of %s", d.name, topic, id)
		last = notes[len(notes)-1]
	}
	for i := range steps {
		one, other := byTopic[topics[0]][i], byTopic[topics[1]][i]
		require.Equal(d, []any{one.Resource, one.Revision, one.Sequence}, []any{other.Resource, other.Revision, other.Sequence})
		require.GreaterOrEqual(d, one.Revision, d.last[id])
		d.last[id] = one.Revision
	}
	d.reads(id, last)
	return last.Resource
}

// reads compares what the agent reads with a notification, after which nothing happened. Of an interaction that is over for
// the agent, GET shows the state in which others have it.
func (d *desk) reads(id string, last note) {
	d.Helper()
	path, _ := last.Resource["path"].(string)
	for _, path := range []string{"/me/interactions/" + id, path} {
		read, _ := d.request(http.MethodGet, path, nil)
		require.EqualValues(d, 0, read["statusCode"], "%s: %v", path, read)
		compared := 0
		for _, key := range []string{"interaction", "call", "chat", "email", "openmedia"} {
			resource, _ := read[key].(map[string]any)
			if resource == nil {
				continue
			}
			want := maps.Clone(last.Resource)
			if len(want["capabilities"].([]any)) == 0 {
				want["state"] = resource["state"]
			}
			require.Equal(d, want, resource, path)
			compared++
		}
		require.Equal(d, 1, compared, "%s: %v", path, read)
	}
}

// can requires the capabilities of a resource, in any order.
func (d *desk) can(resource map[string]any, capabilities string) {
	d.Helper()
	got := []string{}
	for _, one := range resource["capabilities"].([]any) {
		got = append(got, one.(string))
	}
	want := strings.Fields(capabilities)
	sort.Strings(got)
	sort.Strings(want)
	require.Equal(d, want, got, "%s in %v", resource["id"], resource["state"])
}

// listed returns the ids of the agent's interactions.
func (d *desk) listed() []string {
	d.Helper()
	ids := []string{}
	for _, one := range d.get("/me/interactions?fields=*")["interactions"].([]any) {
		ids = append(ids, one.(map[string]any)["id"].(string))
	}
	return ids
}
