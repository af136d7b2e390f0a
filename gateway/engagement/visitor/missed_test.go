package visitor_test

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// lastEvent is the id that a page sends when it reconnects.
func (f *flow) lastEvent() (id string) {
	for lines := bufio.NewScanner(strings.NewReader(f.written())); lines.Scan(); {
		if given, is := strings.CutPrefix(lines.Text(), "id: "); is {
			id = given
		}
	}
	return id
}

const overV1 = "gpe.segue visit-v1 1 canceled"

func TestAStreamThatWasAwayLearnsWhatIsOver(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		target := "/server/data/notification/v1?token=" + b.token("v1", time.Hour)
		open := []string{"gpe.x gpe.segue visit-v1 1"}
		b.invite("v1", "a")
		f, end := b.watch(target)
		require.Equal(t, open, f.messages(t))
		had := f.lastEvent()
		require.Equal(t, "visit-v1/1", had)
		end()

		f, end = b.watchFrom(target, had)
		require.Equal(t, open, f.messages(t), "still open")
		end()
		b.publish(b.world.Must("visit-v1", "noengage", `{"cancelData":{}}`))
		f, end = b.watchFrom(target, had)
		require.Equal(t, []string{overV1}, f.messages(t))
		require.Empty(t, f.lastEvent(), "nothing is left to learn")
		end()

		f, end = b.watch(target)
		require.Empty(t, f.messages(t), "a fresh page")
		end()
		for _, id := range []string{"7", "visit-v1", "visit-v1/0", "visit-v1/x", "a b/1", "/1", ",,", strings.Repeat("x", 200) + "/1"} {
			f, end = b.watchFrom(target, id)
			require.Empty(t, f.messages(t), id)
			end()
		}
		f, end = b.watchFrom(target, strings.Repeat("i/1,", 1000)+"j/1")
		require.Len(t, f.messages(t), 1, "bounded")
		end()

		b.publish(b.world.Start("visit-v1", `{"channel":"web"}`), b.engaged("v1", "b"))
		f, end = b.watchFrom(target, "visit-v1/1,other/2")
		require.Equal(t, []string{"gpe.segue other 2 canceled", "gpe.x gpe.segue visit-v1 1"}, f.messages(t), "started again")
		end()
	})
}

// TestAPageThatComesBeforeTheIndexIsCompleteWaits: a replica that has just started does not know what is open.
func TestAPageThatComesBeforeTheIndexIsCompleteWaits(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.invite("v1", "a")
		b.publish(b.world.Start("ended", `{"channel":"web"}`), b.world.Must("ended", "abandon", `{}`))
		target := "/server/data/notification/v1?token=" + b.token("v1", time.Hour)
		b.stream.Remake() // only Temporal knows, and does not answer
		b.world.SetDown(true)
		another, stop := b.replica()
		defer stop()
		f, end := another.watchFrom(target, "visit-v1/1,ended/1")
		defer end()
		time.Sleep(time.Minute)
		require.Empty(t, f.messages(t))
		b.world.SetDown(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.ElementsMatch(t, []string{"gpe.x gpe.segue visit-v1 1", "gpe.segue ended 1 canceled"}, f.messages(t))
	})
}

func TestASessionThatWasLostLearnsWhatIsOver(t *testing.T) {
	const browser = "browser"
	over := []string{channelV1 + overV1}
	for name, test := range map[string]struct {
		leaves   string // how the page that was invited leaves
		cookie   string // that of the page that comes then
		isItself bool   // it has the same token
		ext      string // of its subscribe
		later    time.Duration
		want     []string
	}{
		"the same browser":        {"lost", browser, false, "null", 0, over},
		"the same token":          {"lost", "", true, "null", 0, over},
		"another page":            {"lost", "", false, "null", 0, nil},
		"a page that ended":       {"ended", browser, true, "null", 0, nil},
		"a page that had read it": {"told", browser, true, "null", 0, nil},
		"too late":                {"lost", browser, true, "null", 16 * time.Minute, nil},
		"a page that says so":     {"ended", "", false, `{"segue":{"shown":[{"ixnId":"visit-v1","attempt":1,"more":0}]}}`, time.Hour, over},
		"a page that says more":   {"ended", "", false, `{"segue":{"shown":[7,{"ixnId":"a b","attempt":1},{"ixnId":"i"},{"ixnId":"j","attempt":2}]}}`, 0, []string{channelV1 + "gpe.segue j 2 canceled"}},
		"a page that says wrong":  {"ended", "", false, `{"segue":{"shown":7}}`, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, b *bench) {
				token := b.token("v1", 10*time.Hour)
				b.invite("v1", "a")
				page := b.browserWith(browser, ext(token))
				require.Len(t, page.subscribe("/notification/v1", "null"), 1)
				noengage := func() { b.publish(b.world.Must("visit-v1", "noengage", `{"cancelData":{}}`)) }
				switch test.leaves {
				case "told":
					noengage()
					require.Equal(t, over, page.poll())
				case "ended":
					page.post(fmt.Sprintf(`[{"channel":"/meta/disconnect","clientId":%q}]`, page.id))
					noengage()
				default:
					noengage()
				}
				time.Sleep(2*time.Minute + test.later) // the session expires
				synctest.Wait()
				if !test.isItself {
					token = b.token("v1", 9*time.Hour)
				}
				back := b.browserWith(test.cookie, ext(token))
				require.Equal(t, test.want, back.subscribe("/notification/v1", test.ext))
				require.Empty(t, back.poll(), "once")
			})
		})
	}
}

func TestAPageThatUnsubscribedLearnsWhatIsOver(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.invite("v1", "a")
		page := b.browser(ext(b.token("v1", time.Hour)))
		require.Len(t, page.subscribe("/notification/v1", "null"), 1)
		page.post(fmt.Sprintf(`[{"channel":"/meta/unsubscribe","clientId":%q,"subscription":"/notification/v1"}]`, page.id))
		b.publish(b.world.Must("visit-v1", "noengage", `{"cancelData":{}}`))
		require.Equal(t, []string{channelV1 + overV1}, page.subscribe("/notification/v1", "null"))
		require.Empty(t, page.subscribe("/notification/v1", "null"))
	})
}

// TestWhatIsRememberedOfLostPagesIsBounded: a visitor who looks at page after page leaves lost sessions.
func TestWhatIsRememberedOfLostPagesIsBounded(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.invite("v1", "a")
		for range 60 {
			b.browserWith("browser", ext(b.token("v1", time.Hour))).subscribe("/notification/v1", "null")
			time.Sleep(5 * time.Second)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.Equal(t, 20, b.visitors.Lost())
		time.Sleep(16 * time.Minute)
		synctest.Wait()
		require.Zero(t, b.visitors.Lost())
	})
}
