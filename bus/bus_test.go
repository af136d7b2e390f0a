package bus_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"segue/bus"
	"segue/contract"
	"segue/interaction"
)

func verify(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

func embed(t *testing.T, o bus.ServerOptions) *bus.Server {
	t.Helper()
	s, err := bus.Embed(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func connect(t *testing.T, o bus.Options) *bus.Conn {
	t.Helper()
	c, err := bus.Connect(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// gateway returns a connection of a gateway that is connected and has the stream.
func gateway(t *testing.T, o bus.Options) *bus.Conn {
	t.Helper()
	o.Creates = true
	c := connect(t, o)
	ready(t, c)
	return c
}

func ready(t *testing.T, c *bus.Conn) bus.Position {
	t.Helper()
	var at bus.Position
	require.Eventually(t, func() bool {
		var err error
		at, err = c.Last(t.Context())
		return err == nil
	}, patience, 10*time.Millisecond)
	return at
}

func publisher(t *testing.T, c *bus.Conn) *bus.Publisher {
	t.Helper()
	p := bus.NewPublisher(c)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		_ = p.Close(ctx)
	})
	return p
}

func notice(id string, revision int64) *contract.Notice {
	return &contract.Notice{
		ContactCenter: "acme", Interaction: id, FirstRunID: "run-" + id, RunID: "run-" + id, Revision: revision,
		Sequence: revision, Command: "user_data", State: &contract.State{Revision: revision},
	}
}

// log is what a reader got, in order.
type log struct {
	mu       sync.Mutex
	messages []bus.Message
	ended    chan error
	cancel   context.CancelFunc
}

func read(t *testing.T, c *bus.Conn, after bus.Position) *log {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &log{ended: make(chan error, 1), cancel: cancel}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.ended <- c.Consume(ctx, after, func(m bus.Message) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.messages = append(l.messages, m)
		})
	}()
	t.Cleanup(func() { cancel(); <-done })
	return l
}

func (l *log) all() []bus.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]bus.Message(nil), l.messages...)
}

// revisions returns the revisions of an interaction in the order in which they came.
func (l *log) revisions(id string) []int64 {
	var all []int64
	for _, m := range l.all() {
		if m.Notice.Interaction == id {
			all = append(all, m.Notice.Revision)
		}
	}
	return all
}

func (l *log) wait(t *testing.T, count int) []bus.Message {
	t.Helper()
	require.Eventually(t, func() bool { return len(l.all()) >= count }, patience, 5*time.Millisecond,
		"the reader has fewer than %d messages", count)
	return l.all()
}

func (l *log) waitRevision(t *testing.T, id string, revision int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		all := l.revisions(id)
		return len(all) > 0 && all[len(all)-1] == revision
	}, patience, 5*time.Millisecond, "the reader lacks revision %d of %s", revision, id)
}

func upTo(n int64) []int64 {
	all := make([]int64, 0, n)
	for i := int64(1); i <= n; i++ {
		all = append(all, i)
	}
	return all
}

func TestNoticesArriveInOrderAndWhole(t *testing.T) {
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	l := read(t, c, bus.Position{})
	p := publisher(t, c)
	whole := notice("a.b~c:d@e-f", 1)
	whole.By, whole.EventID = &interaction.Actor{ID: "jane", Role: interaction.RoleAgent}, "event-1"
	whole.AgentsBefore, whole.CapabilitiesFor = []string{"jane"}, map[string][]string{"jane": {"hold"}}
	p.Publish(whole)
	for revision := int64(2); revision <= 200; revision++ {
		p.Publish(notice("a.b~c:d@e-f", revision))
		p.Publish(notice("other", revision))
	}
	got := l.wait(t, 399)
	require.Equal(t, whole, got[0].Notice)
	require.Equal(t, upTo(200), l.revisions("a.b~c:d@e-f"))
	for i, m := range got {
		require.Equal(t, uint64(i+1), m.Sequence)
		require.WithinDuration(t, time.Now(), m.At, time.Minute)
	}
	require.NoError(t, p.Close(t.Context()))
	require.Equal(t, bus.Stats{Published: 399}, p.Stats())
	at, err := c.Last(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(399), at.Sequence)
	require.NotEmpty(t, at.Epoch)
	first, err := c.First(t.Context())
	require.NoError(t, err)
	require.Equal(t, bus.Position{Epoch: at.Epoch, Sequence: 1}, first)
}

func TestAReaderGoesOnAfterAPosition(t *testing.T) {
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	for revision := int64(1); revision <= 10; revision++ {
		require.NoError(t, c.PublishNow(t.Context(), notice("one", revision)))
	}
	at, err := c.Last(t.Context())
	require.NoError(t, err)
	l := read(t, c, bus.Position{Epoch: at.Epoch, Sequence: 7})
	end := read(t, c, at)
	l.wait(t, 3)
	require.Equal(t, []int64{8, 9, 10}, l.revisions("one"))
	require.NoError(t, c.PublishNow(t.Context(), notice("one", 11)))
	l.waitRevision(t, "one", 11)
	end.waitRevision(t, "one", 11)
	require.Len(t, end.all(), 1)
	l.cancel()
	require.ErrorIs(t, <-l.ended, context.Canceled)
}

func TestARepeatIsDropped(t *testing.T) {
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	for range 3 {
		require.NoError(t, c.PublishNow(t.Context(), notice("one", 1)))
	}
	at, err := c.Last(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(1), at.Sequence)
}

func TestAPlaceThatTheStreamDroppedIsLost(t *testing.T) {
	const small = 64 << 10
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{MaxBytes: small})})
	began := ready(t, c)
	for revision := int64(1); revision <= 500; revision++ {
		require.NoError(t, c.PublishNow(t.Context(), notice("one", revision)))
	}
	first, err := c.First(t.Context())
	require.NoError(t, err)
	require.Greater(t, first.Sequence, uint64(1))
	require.ErrorIs(t, c.Consume(t.Context(), began, func(bus.Message) { t.Error("a message after a loss") }), bus.ErrLost)
	beyond := bus.Position{Epoch: first.Epoch, Sequence: 1000}
	require.ErrorIs(t, c.Consume(t.Context(), beyond, func(bus.Message) {}), bus.ErrLost)
	l := read(t, c, bus.Position{Epoch: first.Epoch, Sequence: first.Sequence - 1})
	l.waitRevision(t, "one", 500)
}

func TestAnotherEpochIsLost(t *testing.T) {
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	begins := func() { t.Error("it began to read another stream") }
	require.ErrorIs(t, c.Consume(t.Context(), bus.Position{Epoch: "another"}, func(bus.Message) {}, begins), bus.ErrLost)
}

func TestAReaderReportsEachTimeItBeginsToRead(t *testing.T) {
	server, _ := listening(t)
	proxy := newProxy(t, address(server))
	c := gateway(t, asGateway("nats://"+proxy.address()))
	after := ready(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	begun, ended := make(chan struct{}, 10), make(chan error, 1)
	messages := make(chan bus.Message, 10)
	proxy.holdAnswers(true)
	go func() {
		ended <- c.Consume(ctx, after, func(m bus.Message) { messages <- m }, func() { begun <- struct{}{} })
	}()
	require.Never(t, func() bool { return len(begun) > 0 }, 300*time.Millisecond, 10*time.Millisecond, "the server has not answered")
	proxy.holdAnswers(false)
	<-begun
	require.NoError(t, c.PublishNow(t.Context(), notice("one", 1)))
	require.EqualValues(t, 1, (<-messages).Sequence)
	proxy.cut()
	<-begun
	require.Eventually(t, func() bool { return c.PublishNow(t.Context(), notice("one", 2)) == nil }, patience, 10*time.Millisecond)
	require.EqualValues(t, 2, (<-messages).Sequence)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestPingsArrive(t *testing.T) {
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	p := publisher(t, c)
	dues := readDues(t, c)
	want := contract.Due{ContactCenter: "acme.eu", Interaction: "a.b~c", RunID: "run", Revision: 7}
	require.Eventually(t, func() bool { p.Due(want); return dues.has(want) }, patience, 10*time.Millisecond)
}

type dueLog struct {
	mu  sync.Mutex
	got map[contract.Due]bool
}

func (d *dueLog) has(due contract.Due) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.got[due]
}

func (d *dueLog) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.got)
}

func readDues(t *testing.T, c *bus.Conn) *dueLog {
	t.Helper()
	d := &dueLog{got: map[contract.Due]bool{}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Dues(ctx, func(due contract.Due) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.got[due] = true
		})
	}()
	t.Cleanup(func() { cancel(); <-done })
	return d
}

func TestALargeStateIsLeftOut(t *testing.T) {
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	l := read(t, c, bus.Position{})
	p := publisher(t, c)
	events := func(size int) []interaction.Event {
		return []interaction.Event{{Moment: "m", Reason: strings.Repeat("x", size)}}
	}
	state := func(size int) *contract.State { return &contract.State{RunID: strings.Repeat("x", size)} }
	cases := []struct {
		state, events int
		kept, whole   bool
	}{
		{state: 10, events: 10, kept: true, whole: true},
		{state: contract.NoticeStateLimit - 10_000, events: 10, kept: true, whole: true},
		{state: contract.NoticeStateLimit + 1, events: 10, whole: true},
		{state: contract.NoticeStateLimit - 10_000, events: 300 << 10, kept: true, whole: true},
		{state: 10 << 20, events: 600 << 10, whole: true},
		{state: 10, events: 3 << 20},
	}
	for i, c := range cases {
		n := notice(fmt.Sprint("size-", i), 1)
		n.State, n.Events = state(c.state), events(c.events)
		p.Publish(n)
	}
	l.wait(t, len(cases))
	for _, m := range l.all() {
		var i int
		_, err := fmt.Sscanf(m.Notice.Interaction, "size-%d", &i)
		require.NoError(t, err)
		require.Equal(t, cases[i].kept, m.Notice.State != nil, "case %d: state", i)
		require.Equal(t, cases[i].whole, m.Notice.Events != nil, "case %d: events", i)
		require.Equal(t, int64(1), m.Notice.Revision)
	}
}

func TestManyNoticesPassQuickly(t *testing.T) {
	c := gateway(t, bus.Options{Server: embed(t, bus.ServerOptions{})})
	l := read(t, c, bus.Position{})
	p := publisher(t, c)
	const interactions, revisions = 100, 100
	for revision := int64(1); revision <= revisions; revision++ {
		// A burst larger than the queue may be shortened.
		require.Eventually(t, func() bool { return p.Stats().Waiting < 1000 }, patience, time.Millisecond)
		for i := range interactions {
			p.Publish(notice(fmt.Sprint("i", i), revision))
		}
	}
	l.wait(t, interactions*revisions)
	for i := range interactions {
		require.Equal(t, upTo(revisions), l.revisions(fmt.Sprint("i", i)))
	}
	require.Zero(t, p.Stats().Dropped)
}

func TestACodecEncodesNotices(t *testing.T) {
	server := embed(t, bus.ServerOptions{})
	codec := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), xor{})
	with := gateway(t, bus.Options{Server: server, Codec: codec})
	without := gateway(t, bus.Options{Server: server})
	readable, raw := read(t, with, ready(t, with)), read(t, without, ready(t, without))
	p := publisher(t, with)
	p.Publish(notice("one", 1))
	require.Equal(t, notice("one", 1), readable.wait(t, 1)[0].Notice)
	require.Equal(t, &contract.Notice{ContactCenter: "acme", Interaction: "one"}, raw.wait(t, 1)[0].Notice)
}

// xor is a codec that makes payloads unreadable.
type xor struct{}

func (xor) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	encoded := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		data, err := proto.Marshal(p)
		if err != nil {
			return nil, err
		}
		encoded[i] = &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("binary/xor")}, Data: flip(data)}
	}
	return encoded, nil
}

func (xor) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	decoded := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		decoded[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(flip(p.Data), decoded[i]); err != nil {
			return nil, err
		}
	}
	return decoded, nil
}

func flip(data []byte) []byte {
	flipped := make([]byte, len(data))
	for i, b := range data {
		flipped[i] = b ^ 0x5a
	}
	return flipped
}
