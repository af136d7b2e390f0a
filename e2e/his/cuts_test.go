package his_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// lives is how many lives of calls are played in CI, and wholeLives with SEGUE_WHOLE=1.
const (
	lives      = 30
	wholeLives = 300
)

// TestDesktopsWhoseConnectionsAreCut plays lives of calls, from dial to disposition, with consultations, transfers and
// conferences, while the connections of both desktops are cut: before, amid and after a request, amid an answer, an
// event or a replay, by FIN, by RST, and by silence. After each cut the replay is the truth. At last each interaction
// has what was acknowledged once, and nothing twice. SEGUE_SEED is the seed of the first life; one seed is one
// schedule.
func TestDesktopsWhoseConnectionsAreCut(t *testing.T) {
	seed, count := uint64(1), lives
	if os.Getenv("SEGUE_WHOLE") != "" {
		count = wholeLives
	}
	if given := os.Getenv("SEGUE_SEED"); given != "" {
		var err error
		seed, err = strconv.ParseUint(given, 10, 64)
		require.NoError(t, err)
	}
	cuts := map[string]int{}
	for range count {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			l := newLife(t, seed)
			l.play()
			for _, d := range []*desk{l.ada, l.bob} {
				for what, n := range d.cuts {
					cuts[what] += n
				}
			}
		})
		if t.Failed() {
			return
		}
		seed++
	}
	t.Log(cuts)
	for _, moment := range []string{"before", "amid", "after"} {
		for _, manner := range []string{"FIN", "RST", "silence"} {
			require.Positive(t, cuts[moment+" a request, "+manner])
		}
	}
}

// life is the life of one call of ada, who may consult bob.
type life struct {
	*testing.T
	ada, bob *desk
	id, call string
	seed     uint64
	story    *stories
	// expected are the commands that the interaction has to have had.
	expected []string
}

func newLife(t *testing.T, seed uint64) *life {
	t.Helper()
	group := map[bool]string{true: "g-1."}[seed%2 == 0]
	name := unique("cut")
	l := &life{T: t, seed: seed, ada: newDesk(t, name+"-ada", group, seed), bob: newDesk(t, name+"-bob", group, seed+1<<32)}
	l.story = listen(t, l.ada.agent, l.bob.agent)
	return l
}

func (l *life) play() {
	l.Helper()
	l.dial()
	l.signal(l.ada)
	l.hold(l.ada)
	switch l.seed % 3 {
	case 0:
		l.wrapUp(l.ada)
	case 1:
		l.consult()
		l.does(l.ada, "transfer", l.isOver, "interaction.consulttransfer", l.call)
		l.bob.await(func() bool { return l.bob.isActive(l.call) })
		l.hold(l.bob)
		l.signal(l.bob)
		l.wrapUp(l.bob)
	case 2:
		l.consult()
		l.does(l.ada, "conference", func() bool { return l.ada.members[l.call+".p"] == 2 }, "interaction.consultconference", l.call)
		l.does(l.bob, "leave", func() bool { return l.bob.states[l.call] == "" }, "conversation.hangup", l.call+".p")
		l.wrapUp(l.ada)
	}
	l.requireStory()
}

func (l *life) isOver() bool { return l.ada.states[l.call] == "" }

func (l *life) dial() {
	l.Helper()
	isDialed := func() bool {
		for target := range l.ada.states {
			if id, isOfChannel := strings.CutPrefix(target, l.ada.channel+"."); isOfChannel && !strings.Contains(id, ".") {
				l.id, l.call = id, target
			}
		}
		return l.id != "" && l.ada.states[l.call+".p"] != "" && l.ada.data[l.call] != nil
	}
	l.does(l.ada, "dial", isDialed, "channel.dial", l.ada.channel)
	platform(l.T, http.MethodPost, "/interactions/"+l.id+"/commands/connect", `{}`)
	l.expected = append(l.expected, "connect")
	// Only an agent's own command is in the index when it is answered; this one of the platform is soon.
	require.Eventually(l, func() bool {
		list, _ := platform(l.T, http.MethodGet, "/interactions?agent="+l.ada.agent, "")["interactions"].([]any)
		return len(list) == 1 && at(list[0], "state") == "handling"
	}, patience, pollEvery)
	l.ada.await(func() bool { return l.ada.isActive(l.call) })
}

func (l *life) hold(d *desk) {
	l.Helper()
	l.does(d, "hold", func() bool { return d.states[l.call+".p"] == "HELD" }, "conversation.hold", l.call+".p")
	l.does(d, "retrieve", func() bool { return d.isActive(l.call) }, "conversation.retrieve", l.call+".p")
}

func (l *life) consult() {
	l.Helper()
	isConsulting := func() bool { return l.ada.members[l.call+".k"] == 1 }
	l.request(l.ada, "consult", isConsulting, "interaction.consultdial", l.call, `{"agent":"`+l.bob.agent+`"}`)
	l.bob.await(func() bool { return l.bob.isActive(l.call) })
}

func (l *life) wrapUp(d *desk) {
	l.Helper()
	l.does(d, "disconnect", func() bool { return d.states[l.call+".p"] == "" }, "conversation.hangup", l.call+".p")
	isDisposed := func() bool { given, _ := d.data[l.call].([]any); return len(given) == 2 && given[1] == "SOLD" }
	l.request(d, "set_disposition", isDisposed, "interaction.setdisposition", l.call, `{"interactionDispositionId":"d1"}`)
	l.does(d, "complete", func() bool { return d.states[l.call] == "" }, "interaction.complete", l.call)
}

// signal gives a signal. No event reports it, so one without an answer is sent again, with the same id.
func (l *life) signal(d *desk) {
	l.Helper()
	l.expected = append(l.expected, "script_signal")
	d.number++
	for id := fmt.Sprint("r", d.number); !d.attempt(id, "interaction.request.incontact.signal", l.call, `{"p1":"x"}`); {
		d.connect()
	}
}

func (l *life) does(d *desk, name string, isDone func() bool, command, target string) {
	l.Helper()
	data := map[bool]string{true: `{"destination":"+4930","extensions":{"order":"7"}}`, false: `{}`}[name == "dial"]
	l.request(d, name, isDone, command, target, data)
}

// request has a desktop request what it does not see done, until it is. What was acknowledged stays so.
func (l *life) request(d *desk, name string, isDone func() bool, command, target, data string) {
	l.Helper()
	l.expected = append(l.expected, name)
	for !isDone() {
		d.number++
		if d.attempt(fmt.Sprint("r", d.number), command, target, data) {
			d.await(isDone)
			return
		}
		d.connect()
	}
}

func (d *desk) isActive(call string) bool {
	return d.states[call] == "STARTED" && d.states[call+".p"] == "ACTIVE" && d.data[call] != nil
}

// await waits until the desktop sees what it has to see. If the connection ends, the replay has it.
func (d *desk) await(isSeen func() bool) {
	d.Helper()
	for !isSeen() {
		if !d.hear(patience) {
			d.connect()
			require.True(d, isSeen(), "what was acknowledged is in the replay: %v", d.states)
		}
	}
}

// attempt sends a request with an id, and may cut the connection meanwhile. It reports whether the request was acknowledged.
func (d *desk) attempt(id, command, target, data string) bool {
	d.Helper()
	moment := []string{"", "", "before", "amid", "after", "after"}[d.random.IntN(6)]
	pause := time.Duration(d.random.IntN(30)) * time.Millisecond
	sent := int64(d.random.IntN(100))
	manner := []string{"FIN", "RST", "silence"}[d.random.IntN(3)]
	if moment != "" {
		d.cuts[moment+" a request, "+manner]++
	}
	switch moment {
	case "before":
		d.cut(manner)
	case "amid":
		d.line.socket.left.Store(sent)
	}
	d.send(id, command, target, data)
	for begun := time.Now(); time.Since(begun) < patience; {
		within := patience
		if moment != "" {
			within = pause
		}
		answer, isLost := d.answer(id, within)
		switch {
		case answer["result"] == "success":
			return true
		case answer != nil: // no outcome yet: it is asked for again, by the same id
			require.Equal(d, "UNAVAILABLE", at(answer, "failure", "code"), "%v", answer)
			d.send(id, command, target, data)
		case isLost:
			return false
		case moment != "":
			d.cut(manner)
			return false
		}
	}
	require.Fail(d, "no answer came")
	return false
}

func (d *desk) cut(manner string) {
	switch manner {
	case "FIN":
		d.line.proxy.Cut()
	case "RST":
		d.line.proxy.Reset()
	case "silence":
		d.line.proxy.Stall()
	}
}

// requireStory requires that the interaction, the only one, has had each command once.
func (l *life) requireStory() {
	l.Helper()
	state := platform(l.T, http.MethodGet, "/interactions/"+l.id, "")
	require.Equal(l, "completed", state["state"])
	revision, _ := state["revision"].(float64)
	told := l.story.until(l.T, l.id, int64(revision))
	require.Equal(l, l.expected, told)
	require.Equal(l, []string{l.id}, l.story.interactions())
}
