package config_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"segue/config"

	"github.com/stretchr/testify/require"
)

// calm accepts every configuration.
func calm(*config.Set) error { return nil }

// observed is a watched file, and the result of each reading.
type observed struct {
	t     *testing.T
	path  string
	store *config.Store
	mu    sync.Mutex
	errs  []error
}

// observe opens a configuration and watches it until the test ends.
func observe(t *testing.T, path string) *observed {
	t.Helper()
	store, err := config.Open(path)
	require.NoError(t, err)
	o := &observed{t: t, path: path, store: store}
	o.watch()
	return o
}

func (o *observed) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		o.store.Watch(ctx, slog.New(slog.DiscardHandler), func() {
			_, err := o.store.Reload(calm)
			o.mu.Lock()
			defer o.mu.Unlock()
			o.errs = append(o.errs, err)
		})
	})
	o.t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
}

func (o *observed) readings() []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]error{}, o.errs...)
}

// reads waits until the file has been read again a number of times, and returns the error
// of the last reading.
func (o *observed) reads(times int) error {
	o.t.Helper()
	require.Eventually(o.t, func() bool { return len(o.readings()) >= times }, time.Minute, 5*time.Millisecond, "read %d times", times)
	return o.readings()[times-1]
}

// settlesOn waits until the current set has the given offer timeout.
func (o *observed) settlesOn(offer time.Duration) {
	o.t.Helper()
	require.Eventually(o.t, func() bool { return o.store.Current().TimeoutsFor("inbound").Offer == offer }, time.Minute, 5*time.Millisecond, "offer %s", offer)
}

func offering(seconds int) string {
	return strings.Replace(good, "default: {offer: 30s}", fmt.Sprintf("default: {offer: %ds}", seconds), 1)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// place writes another file and renames it, so that the file is replaced at once.
func place(t *testing.T, path, text string) {
	t.Helper()
	write(t, path+".new", text)
	require.NoError(t, os.Rename(path+".new", path))
}

func fresh(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "segue.yaml")
	write(t, path, offering(1))
	return path
}

func TestABadFileChangesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		line int
		says string
	}{
		"bad YAML":       {strings.Replace(good, "calls:", "calls: [", 1), 1, "is not YAML"},
		"an unknown key": {strings.Replace(good, "method:", "methud:", 1), 2, "there is no such key"},
		"a bad CEL":      {strings.Replace(good, "${interaction.id}", "${interaction.idd}", 1), 4, "interaction.idd"},
		"a wrong value":  {strings.Replace(good, "method: POST", "method: NO", 1), 3, "NO"},
		"no such call":   {strings.Replace(good, "call: crm", "call: cmr", 1), 19, "cmr"},
		"an empty file":  {"", 0, "is empty, and the current configuration is not; to run without calls, write calls: []"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := observe(t, fresh(t))
			before := o.store.Current()
			write(t, o.path, c.text)
			err := o.reads(1)
			require.ErrorContains(t, err, c.says)
			var mistakes config.Errors
			require.ErrorAs(t, err, &mistakes)
			require.Equal(t, o.path, mistakes[0].File)
			require.Equal(t, c.line, mistakes[0].Line)
			require.Same(t, before, o.store.Current())

			place(t, o.path, offering(2))
			o.settlesOn(2 * time.Second)
		})
	}
}

func TestAFileThatIsGoneChangesNothing(t *testing.T) {
	t.Parallel()
	o := observe(t, fresh(t))
	before := o.store.Current()
	require.NoError(t, os.Remove(o.path))
	require.ErrorContains(t, o.reads(1), "no such file or directory")
	require.Same(t, before, o.store.Current())
	write(t, o.path, offering(1))
	require.NoError(t, o.reads(2))
	require.Same(t, before, o.store.Current(), "the content is the same")
}

func TestAHalfWrittenFileIsNotRead(t *testing.T) {
	t.Parallel()
	o := observe(t, fresh(t))
	for offer := 2; ; offer++ {
		before := len(o.readings())
		longest := writeSlowly(t, o.path, offering(offer))
		o.settlesOn(time.Duration(offer) * time.Second)
		if longest > config.Quiet/2 && offer < 10 {
			continue // the machine was slow, and the file was unchanged for too long
		}
		require.Equal(t, []error{nil}, o.readings()[before:], "the file is read once, when it is complete")
		return
	}
}

// writeSlowly writes about forty pieces, each of which is a change, and returns the longest
// time between two of them.
func writeSlowly(t *testing.T, path, text string) (longest time.Duration) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	require.NoError(t, err)
	slow := time.NewTicker(config.Quiet / 20)
	defer slow.Stop()
	last := time.Now()
	for piece := len(text)/40 + 1; len(text) > 0; text = text[min(len(text), piece):] {
		_, err := f.WriteString(text[:min(len(text), piece)])
		require.NoError(t, err)
		longest, last = max(longest, time.Since(last)), time.Now()
		<-slow.C
	}
	require.NoError(t, f.Close())
	return longest
}

// Kubernetes keeps each version in a separate folder and swaps a link to it.
func TestASwappedLinkIsAChange(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	publish := func(version int) {
		data := filepath.Join(folder, fmt.Sprintf("..2026_%d", version))
		require.NoError(t, os.Mkdir(data, 0o700))
		write(t, filepath.Join(data, "segue.yaml"), offering(version))
		link := filepath.Join(folder, "..data_tmp")
		require.NoError(t, os.Symlink(filepath.Base(data), link))
		require.NoError(t, os.Rename(link, filepath.Join(folder, "..data")))
		if version > 1 {
			require.NoError(t, os.RemoveAll(filepath.Join(folder, fmt.Sprintf("..2026_%d", version-1))))
		}
	}
	publish(1)
	path := filepath.Join(folder, "segue.yaml")
	require.NoError(t, os.Symlink("..data/segue.yaml", path))
	o := observe(t, path)
	for version := 2; version <= 4; version++ {
		publish(version)
		o.settlesOn(time.Duration(version) * time.Second)
	}
	for _, err := range o.readings() {
		require.NoError(t, err)
	}
}

// A deploy swaps a link to a parent folder of the file; then the file is edited.
func TestASwappedParentFolderIsAChange(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for version := 1; version <= 2; version++ {
		release := filepath.Join(folder, "releases", fmt.Sprint(version), "etc")
		require.NoError(t, os.MkdirAll(release, 0o700))
		write(t, filepath.Join(release, "segue.yaml"), offering(version))
	}
	current := filepath.Join(folder, "current")
	require.NoError(t, os.Symlink("releases/1", current))
	o := observe(t, filepath.Join(current, "etc", "segue.yaml"))
	require.NoError(t, os.Symlink(filepath.Join(folder, "releases/2"), current+".new"))
	require.NoError(t, os.Rename(current+".new", current))
	o.settlesOn(2 * time.Second)
	place(t, filepath.Join(folder, "releases/2/etc/segue.yaml"), offering(3))
	o.settlesOn(3 * time.Second)
}

func TestManyChangesInAShortTimeAreReadTogether(t *testing.T) {
	t.Parallel()
	o := observe(t, fresh(t))
	begin := time.Now()
	var stop atomic.Bool
	var readers sync.WaitGroup
	versions := sync.Map{} // the timeouts of each set
	for range 2 {
		readers.Go(func() {
			for !stop.Load() {
				set := o.store.Current()
				said, seen := versions.LoadOrStore(set.Version, set.TimeoutsFor("inbound"))
				if seen && said != set.TimeoutsFor("inbound") || len(set.Calls()) != 4 {
					t.Error("a set is incomplete")
					return
				}
			}
		})
	}
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	for i := range 200 { // in place and by renaming, good and bad
		switch i % 4 {
		case 0:
			write(t, o.path, offering(i+2))
		case 1:
			write(t, o.path, "calls: [")
		case 2:
			place(t, o.path, offering(i+2))
		case 3:
			place(t, o.path, "what: is this")
		}
		<-every.C
	}
	place(t, o.path, offering(7))
	o.settlesOn(7 * time.Second)
	stop.Store(true)
	readers.Wait()
	require.LessOrEqual(t, len(o.readings()), int(time.Since(begin)/config.Quiet)+1, "the file is read once per quiet period at most")
}

func TestOtherFilesOfTheFolderAreIgnored(t *testing.T) {
	t.Parallel()
	o := observe(t, fresh(t))
	other := filepath.Join(filepath.Dir(o.path), "worker.log")
	ctx, cancel := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	busy.Go(func() {
		every := time.NewTicker(time.Millisecond)
		defer every.Stop()
		for ctx.Err() == nil {
			write(t, other, "another line")
			<-every.C
		}
	})
	defer busy.Wait()
	defer cancel()
	write(t, o.path, offering(2))
	o.settlesOn(2 * time.Second)
	require.Len(t, o.readings(), 1)
}

func TestAChangeBeforeTheWatchIsSeen(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	store, err := config.Open(path)
	require.NoError(t, err)
	place(t, path, offering(2))
	o := &observed{t: t, path: path, store: store}
	o.watch()
	o.settlesOn(2 * time.Second)
}

// The system does not notify of a change through another name of the file, or across a
// network.
func TestAChangeWithoutANotificationIsSeen(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	elsewhere := filepath.Join(t.TempDir(), "other-name.yaml")
	require.NoError(t, os.Link(path, elsewhere))
	store, err := config.Open(path)
	require.NoError(t, err)
	store.PollEvery(20 * time.Millisecond)
	o := &observed{t: t, path: path, store: store}
	o.watch()
	write(t, elsewhere, offering(2))
	o.settlesOn(2 * time.Second)
}

func TestAFolderThatIsCreatedAgainIsWatched(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "etc")
	require.NoError(t, os.Mkdir(folder, 0o700))
	path := filepath.Join(folder, "segue.yaml")
	write(t, path, offering(1))
	store, err := config.Open(path)
	require.NoError(t, err)
	store.PollEvery(20 * time.Millisecond)
	o := &observed{t: t, path: path, store: store}
	o.watch()
	require.NoError(t, os.RemoveAll(folder))
	require.ErrorContains(t, o.reads(1), "no such file")
	require.NoError(t, os.Mkdir(folder, 0o700))
	write(t, path, offering(2))
	o.settlesOn(2 * time.Second)
}

func TestASetWithoutAFileIsNotWatched(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	config.NewStore(parsed(t, good)).Watch(t.Context(), log, func() { t.Error("nothing can change") })
	store, err := config.Open("")
	require.NoError(t, err)
	store.Watch(t.Context(), log, func() { t.Error("nothing can change") })
	_, err = store.Reload(calm)
	require.NoError(t, err, "the environment is read again and is unchanged")
}

func TestAReloadThatFailsToPrepareChangesNothing(t *testing.T) {
	path := fresh(t)
	store, err := config.Open(path)
	require.NoError(t, err)
	before := store.Current()
	place(t, path, offering(2))
	set, err := store.Reload(func(next *config.Set) error {
		require.Equal(t, 2*time.Second, next.TimeoutsFor("inbound").Offer)
		require.Same(t, before, store.Current(), "prepare runs before the set is applied")
		return errors.New("not now")
	})
	require.EqualError(t, err, "not now")
	require.Same(t, before, set)
	require.Same(t, before, store.Current())
}

func TestSettingsThatNeedARestartAreNamed(t *testing.T) {
	started := parsed(t, good)
	require.Empty(t, started.NeedsRestart(started))
	next := parsed(t, `
temporal: {address: "elsewhere:7233", namespace: other, api_key: env:KEY, tls: {enabled: true}}
log: {level: debug, format: json}
metrics: {address: ""}
timeouts: {default: {offer: 9s}}
`)
	require.Equal(t, []string{"temporal.address", "temporal.namespace", "temporal.api_key", "temporal.tls.enabled", "log.format", "metrics.address"},
		next.NeedsRestart(started), "log.level, calls and timeouts take effect without a restart")
}

func TestMissingSecretsAreNamedWithTheirLines(t *testing.T) {
	there := filepath.Join(t.TempDir(), "there")
	write(t, there, "hunter2")
	t.Setenv("SEGUE_TEST_THERE", "hunter2")
	path := filepath.Join(t.TempDir(), "segue.yaml")
	write(t, path, `calls:
  - {name: a, method: GET, url: "https://h.example.com/", auth: {basic: {username: env:SEGUE_TEST_THERE, password: env:SEGUE_TEST_GONE}}}
  - name: b
    method: GET
    url: https://h.example.com/
    auth: {mtls: {certificate: "file:`+there+`", key: file:/nowhere/key.pem}}
    sign: {secrets: [env:SEGUE_TEST_KEY, env:SEGUE_TEST_OLD, env:SEGUE_TEST_THERE, env:SEGUE_TEST_SHORT]}
`)
	t.Setenv("SEGUE_TEST_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	t.Setenv("SEGUE_TEST_SHORT", "whsec_aHVudGVyMg==")
	set, err := config.Load(path)
	require.NoError(t, err, "a configuration with missing secrets loads")
	require.EqualError(t, set.MissingSecrets(), strings.Join([]string{
		path + ":2: calls[0].auth.basic.password: secret env:SEGUE_TEST_GONE is not set; set it and restart the process: a running process does not see new variables",
		path + ":6: calls[1].auth.mtls.key: secret file:/nowhere/key.pem cannot be read; create it: every attempt reads it again",
		path + ":7: calls[1].sign.secrets[1]: secret env:SEGUE_TEST_OLD is not set; set it and restart the process: a running process does not see new variables",
		path + ":7: calls[1].sign.secrets[2]: signing secret env:SEGUE_TEST_THERE is not whsec_ followed by base64; set it and restart the process: a running process does not see new variables",
		path + ":7: calls[1].sign.secrets[3]: signing secret env:SEGUE_TEST_SHORT has 7 bytes; use 24 to 64, such as whsec_ and the output of: openssl rand -base64 32; " +
			"set it and restart the process: a running process does not see new variables",
	}, "\n"))
	require.NotContains(t, set.MissingSecrets().Error(), "hunter2")
}
