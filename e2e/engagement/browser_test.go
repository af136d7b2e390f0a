package engagement_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
)

// browser is one page of a headless browser, which it obeys over its debugging protocol.
type browser struct {
	t       *testing.T
	conn    *websocket.Conn
	session string
	number  int
}

var debugging = regexp.MustCompile(`ws://[^\s]+`)

// startBrowser starts a browser with an empty page. Without one on this machine the test is skipped.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
		}
	}
	if path == "" {
		require.NotEqual(t, "true", os.Getenv("CI"), "there is no Chromium on this machine; Debian: apt-get install chromium")
		t.Skip("there is no Chromium on this machine")
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), "about:blank")
	stderr, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	address, drained := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(drained)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if found := debugging.FindString(lines.Text()); found != "" {
				select {
				case address <- found:
				default:
				}
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-drained; _ = command.Wait() })
	b := &browser{t: t}
	select {
	case at := <-address:
		b.conn, _, err = websocket.Dial(ctx, at, nil)
		require.NoError(t, err)
		b.conn.SetReadLimit(16 << 20)
	case <-time.After(patience):
		t.Fatal("the browser did not start")
	}
	t.Cleanup(func() { _ = b.conn.CloseNow() })
	target := b.call("Target.createTarget", map[string]any{"url": "about:blank"})["targetId"]
	b.session, _ = b.call("Target.attachToTarget", map[string]any{"targetId": target, "flatten": true})["sessionId"].(string)
	b.call("Page.enable", nil)
	return b
}

// call gives the browser a command and returns its result.
func (b *browser) call(method string, params map[string]any) map[string]any {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	b.number++
	message := map[string]any{"id": b.number, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	require.NoError(b.t, wsjson.Write(ctx, b.conn, message))
	for {
		var answer struct {
			ID     int
			Result map[string]any
			Error  json.RawMessage
		}
		require.NoError(b.t, wsjson.Read(ctx, b.conn, &answer))
		if answer.ID == b.number {
			require.Empty(b.t, answer.Error, method)
			return answer.Result
		}
	}
}

// visit opens the example page for a visit, and waits until it is connected.
func (b *browser) visit(id, more string) {
	b.t.Helper()
	b.open(id, more)
	b.sees("Welcome.")
}

// open loads the example page for a visit.
func (b *browser) open(id, more string) {
	b.t.Helper()
	b.openAt(url, id, more)
}

// openAt is open with the address at which the page finds the gateway.
func (b *browser) openAt(gateway, id, more string) {
	b.t.Helper()
	loaded := b.call("Page.navigate", map[string]any{"url": fmt.Sprintf("%s/page.html?gateway=%s&visit=%s%s", site, gateway, id, more)})
	require.Empty(b.t, loaded["errorText"])
}

func (b *browser) evaluate(script string) any {
	b.t.Helper()
	result, _ := b.call("Runtime.evaluate", map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true})["result"].(map[string]any)
	return result["value"]
}

// sees waits until the page has a text as its status.
func (b *browser) sees(text string) {
	b.t.Helper()
	for begun := time.Now(); ; time.Sleep(pollEvery) {
		last, _ := b.evaluate(`document.getElementById("status")?.textContent ?? ""`).(string)
		if last == text {
			return
		}
		require.Less(b.t, time.Since(begun), patience, "the page has %q, not %q", last, text)
	}
}

// isInvited reports whether the invitation is shown.
func (b *browser) isInvited() bool {
	return b.evaluate(`!document.getElementById("invitation").hidden`) == true
}

func (b *browser) click(id string) { b.evaluate(`document.getElementById("` + id + `").click()`) }

func engageVisit(t *testing.T, visit, page string) {
	t.Helper()
	status, answer := post(t, "/server/data/gateway/engage", fmt.Sprintf(`{"visitID":%q,"page":%q}`, visit, page))
	require.Equal(t, 200, status, answer)
}

// The two ways in which the page gets invitations, with what its visits begin with.
var transports = map[string]string{"events": "", "cometd": "&transport=cometd"}

func TestTheExamplePage(t *testing.T) {
	b := startBrowser(t)
	for name, transport := range transports {
		run := unique(name)
		id := func(n int) string { return fmt.Sprint(run, "-", n) }
		b.visit(id(1), transport)
		engageVisit(t, id(1), "a")
		b.sees(shown)
		require.True(t, b.isInvited())
		require.Equal(t, "accept", b.evaluate(`document.activeElement.id`), "the keyboard is in the dialog")
		b.click("accept")
		b.sees("An agent will be with you shortly.")
		require.False(t, b.isInvited())
		require.Equal(t, "queued", state(t, "visit-"+id(1))["state"])

		b.visit(id(2), transport)
		engageVisit(t, id(2), "a")
		b.sees(shown)
		b.click("decline")
		b.sees("Maybe another time.")
		require.Equal(t, "not_engaged", state(t, "visit-"+id(2))["outcome"])

		b.visit(id(3), transport)
		engageVisit(t, id(3), "a")
		b.sees(shown)
		b.call("Page.reload", nil)
		b.sees(shown) // a page that is loaded again
		status, answer := post(t, "/server/data/gateway/noengage", fmt.Sprintf(`{"visitID":%q}`, id(3)))
		require.Equal(t, 200, status, answer)
		b.sees(over)
		require.False(t, b.isInvited())

		// A token of another visit shows nothing.
		_, made := post(t, "/v1/visits/other/token", "")
		b.open(id(4), transport+"&token="+made["token"].(string))
		b.sees("Not connected.")
		_, made = post(t, "/v1/visits/"+id(5)+"/token", "")
		b.visit(id(5), transport+"&contact_center=default&token="+made["token"].(string))
		engageVisit(t, id(5), "a")
		b.sees(shown)
	}
}
