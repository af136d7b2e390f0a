package engagement_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	shown    = "You have an invitation."
	chatting = "An agent will be with you shortly."
	declined = "Maybe another time."
	over     = "The invitation is over."
)

// records has each page from now on keep all that its status says.
func (b *browser) records() {
	b.t.Helper()
	b.call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": `
		window.said = [];
		new MutationObserver(changes => {
			for (const { target, addedNodes } of changes)
				if (target.id === "status") for (const { textContent } of addedNodes) if (textContent !== "Connecting…") said.push(textContent);
		}).observe(document, { childList: true, subtree: true });`})
}

// said returns what the status of the page has said since the page was loaded.
func (b *browser) said() any { return b.evaluate(`said`) }

// links returns the links of the invitation that is shown.
func (b *browser) links() map[string]string {
	b.t.Helper()
	links := map[string]string{}
	text, _ := b.evaluate(`JSON.stringify(open?.disposition)`).(string)
	require.NoError(b.t, json.Unmarshal([]byte(text), &links), "%q", text)
	return links
}

// follow has the page itself open a link.
func (b *browser) follow(link string) (int, map[string]any) {
	b.t.Helper()
	encoded, err := json.Marshal(link)
	require.NoError(b.t, err)
	text, _ := b.evaluate(fmt.Sprintf(`fetch(%s, {credentials: "omit"}).then(async r => JSON.stringify({code: r.status, body: await r.json()}))`, encoded)).(string)
	var answer struct {
		Code int
		Body map[string]any
	}
	require.NoError(b.t, json.Unmarshal([]byte(text), &answer), "%q", text)
	return answer.Code, answer.Body
}

// press presses a key as a visitor does: the element with the keyboard gets it.
func (b *browser) press(key string, code int, text string) {
	b.t.Helper()
	event := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}
	b.call("Input.dispatchKeyEvent", event)
	event["type"] = "keyUp"
	delete(event, "text")
	b.call("Input.dispatchKeyEvent", event)
}

// invite opens the page of a visit, and invites the visitor.
func (b *browser) invite(visit string) {
	b.t.Helper()
	b.visit(visit, "")
	engageVisit(b.t, visit, "a")
	b.sees(shown)
}

// changed returns a link with another value of a parameter.
func changed(t *testing.T, link, key, value string) string {
	t.Helper()
	u, err := neturl.Parse(link)
	require.NoError(t, err)
	query := u.Query()
	query.Set(key, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// tokenOf returns the two parts of the token of a link: what is signed, and the signature.
func tokenOf(t *testing.T, link string) (content, signature string) {
	t.Helper()
	u, err := neturl.Parse(link)
	require.NoError(t, err)
	content, signature, found := strings.Cut(u.Query().Get("token"), ".")
	require.True(t, found)
	return content, signature
}

// otherFirst returns a text with another first character.
func otherFirst(text string) string {
	if text[0] == 'A' {
		return "B" + text[1:]
	}
	return "A" + text[1:]
}

func TestThePageUsesALinkTwice(t *testing.T) {
	b := startBrowser(t)
	for name, test := range map[string]struct{ result, other, state string }{
		"twice-accepted": {"accepted", "rejected", "queued"},
		"twice-rejected": {"rejected", "accepted", "completed"},
	} {
		visit := unique(name)
		b.invite(visit)
		links := b.links()
		status, answer := b.follow(links[test.result])
		require.Equal(t, 200, status, answer)
		require.Equal(t, []any{"OK", test.state, 1.0, nil}, []any{answer["status"], answer["state"], answer["attempt"], answer["duplicate"]})
		before := state(t, "visit-"+visit)
		require.Equal(t, test.state, before["state"])

		status, answer = b.follow(links[test.result])
		require.Equal(t, 200, status, answer)
		require.Equal(t, []any{"OK", test.state, 1.0, true}, []any{answer["status"], answer["state"], answer["attempt"], answer["duplicate"]})
		for _, link := range []string{links[test.other], changed(t, links[test.result], "result", test.other)} {
			status, answer = b.follow(link)
			require.Equal(t, []any{400, "FAULT", "illegal-command"}, []any{status, answer["status"], answer["code"]})
		}
		require.Equal(t, before, state(t, "visit-"+visit))
	}
}

func TestThePageHasAForgedLink(t *testing.T) {
	forgedVisit := unique("forged")
	b := startBrowser(t)
	b.invite(forgedVisit)
	link, before := b.links()["accepted"], state(t, "visit-"+forgedVisit)
	content, signature := tokenOf(t, link)
	_, made := post(t, "/v1/visits/"+forgedVisit+"/token", "")
	for name, test := range map[string]struct {
		link, code string
		status     int
	}{
		"another signature":    {changed(t, link, "token", content+"."+otherFirst(signature)), "unauthenticated", 401},
		"no signature":         {changed(t, link, "token", content), "unauthenticated", 401},
		"another content":      {changed(t, link, "token", otherFirst(content)+"."+signature), "unauthenticated", 401},
		"the token of a visit": {changed(t, link, "token", made["token"].(string)), "unauthenticated", 401},
		"another attempt":      {changed(t, link, "attempt", "2"), "not-permitted", 403},
		"another result":       {changed(t, link, "result", "queued"), "malformed", 400},
		"another result added": {link + "&result=rejected", "malformed", 400},
	} {
		status, answer := b.follow(test.link)
		require.Equal(t, []any{test.status, "FAULT", test.code}, []any{status, answer["status"], answer["code"]}, name)
	}
	require.Equal(t, before, state(t, "visit-"+forgedVisit))
	require.True(t, b.isInvited())
	b.click("accept") // the true link counts still
	b.sees(chatting)
	require.Equal(t, "queued", state(t, "visit-"+forgedVisit)["state"])
}

func TestThePageHasTheLinkOfAnotherVisit(t *testing.T) {
	theirsVisit, mineVisit := unique("theirs"), unique("mine")
	b := startBrowser(t)
	b.invite(theirsVisit)
	theirs := b.links()["accepted"]
	b.invite(mineVisit)
	mine := b.links()["accepted"]
	before := []any{state(t, "visit-"+theirsVisit), state(t, "visit-"+mineVisit)}
	content, signature := tokenOf(t, theirs)
	ownContent, ownSignature := tokenOf(t, mine)
	for name, test := range map[string]struct {
		link, code string
		status     int
	}{
		"the token of another visit":     {changed(t, mine, "token", content+"."+signature), "not-permitted", 403},
		"the id of another visit":        {changed(t, mine, "ixnId", "visit-"+theirsVisit), "not-permitted", 403},
		"the content of another visit":   {changed(t, theirs, "token", content+"."+ownSignature), "unauthenticated", 401},
		"the signature of another visit": {changed(t, mine, "token", ownContent+"."+signature), "unauthenticated", 401},
	} {
		status, answer := b.follow(test.link)
		require.Equal(t, []any{test.status, "FAULT", test.code}, []any{status, answer["status"], answer["code"]}, name)
	}
	require.Equal(t, before, []any{state(t, "visit-"+theirsVisit), state(t, "visit-"+mineVisit)})

	// A link answers the invitation that it is of, whichever page opens it.
	status, answer := b.follow(theirs)
	require.Equal(t, []any{200, "visit-" + theirsVisit}, []any{status, answer["ixnId"]})
	require.Equal(t, "queued", state(t, "visit-"+theirsVisit)["state"])
	require.Equal(t, before[1], state(t, "visit-"+mineVisit))
	require.True(t, b.isInvited())
}

func TestThePageComesLate(t *testing.T) {
	lateVisit := unique("late")
	b := startBrowser(t)
	b.records()
	engageVisit(t, lateVisit, "a")
	b.open(lateVisit, "")
	b.sees(shown)
	require.True(t, b.isInvited())
	b.click("accept")
	b.sees(chatting)

	for _, result := range []string{"accepted", "rejected"} {
		visit := unique("over-" + result)
		page := watch(t, visit, "")
		engageVisit(t, visit, "a")
		status, text := send(t.Context(), http.MethodGet, next(t, page).Disposition[result], "")
		require.Equal(t, 200, status, "%s", text)
		require.True(t, next(t, page).Canceled)
		b.visit(visit, "")
		b.showsOnlyWhatComesNext(visit)
	}
}

// showsOnlyWhatComesNext has another interaction invite the visitor of a page that was just loaded. The page shows
// what it gets in the order in which it comes: that it has shown this alone means that it got nothing before.
func (b *browser) showsOnlyWhatComesNext(visit string) {
	b.t.Helper()
	status, answer := post(b.t, "/server/data/gateway/engage", fmt.Sprintf(`{"ixnId":"next-%s","visitID":%q}`, visit, visit))
	require.Equal(b.t, 200, status, answer)
	b.sees(shown)
	require.Equal(b.t, []any{"Welcome.", shown}, b.said())
	require.Equal(b.t, "next-"+visit, b.evaluate(`open.ixnId`))
}

func TestThePageIsLoadedAgainAfterTheAnswer(t *testing.T) {
	b := startBrowser(t)
	b.records()
	for name, test := range map[string]struct{ button, says string }{
		"reload-accepted": {"accept", chatting},
		"reload-rejected": {"decline", declined},
	} {
		visit := unique(name)
		b.invite(visit)
		b.evaluate(fmt.Sprintf(`for (let i = 0; i < 3; i++) document.getElementById(%q).click()`, test.button)) // an impatient visitor
		b.sees(test.says)
		require.Equal(t, []any{"Welcome.", shown, "Sending…", test.says}, b.said())
		before := state(t, "visit-"+visit)
		b.call("Page.reload", nil)
		b.sees("Welcome.")
		require.False(t, b.isInvited())
		b.showsOnlyWhatComesNext(visit)
		require.Equal(t, before, state(t, "visit-"+visit), "nothing was answered again")
	}
}

// TestThePageIsLoadedAgainBeforeTheAnswerIsSent has a visitor who answers while the gateway cannot be reached: the
// answer is sent by the page that is loaded then, which does not ask again.
func TestThePageIsLoadedAgainBeforeTheAnswerIsSent(t *testing.T) {
	unsentVisit := unique("unsent")
	b := startBrowser(t)
	b.records()
	b.call("Network.enable", nil)
	b.invite(unsentVisit)
	b.call("Network.setBlockedURLs", map[string]any{"urls": []string{"*/server/data/gateway/disposition*"}})
	b.click("accept")
	b.sees("Sending…")
	require.Equal(t, "engaging", state(t, "visit-"+unsentVisit)["state"])
	b.call("Page.reload", nil)
	for begun := time.Now(); fmt.Sprint(b.said()) != "[Welcome. Sending…]"; time.Sleep(pollEvery) {
		require.Less(t, time.Since(begun), patience, "%v", b.said())
	}
	b.call("Network.setBlockedURLs", map[string]any{"urls": []string{}})
	b.sees(chatting)
	require.Equal(t, []any{"Welcome.", "Sending…", chatting}, b.said())
	require.False(t, b.isInvited())
	require.Equal(t, "queued", state(t, "visit-"+unsentVisit)["state"])
}

func TestThePageObeysTheKeyboard(t *testing.T) {
	escapeVisit, enterVisit, tabVisit := unique("escape"), unique("enter"), unique("tab")
	b := startBrowser(t)
	b.invite(escapeVisit)
	b.press("Escape", 27, "")
	b.sees(declined)
	require.False(t, b.isInvited())
	require.Equal(t, "not_engaged", state(t, "visit-"+escapeVisit)["outcome"])

	b.invite(enterVisit)
	require.Equal(t, "dialog", b.evaluate(`document.activeElement.closest("[role]").getAttribute("role")`))
	b.press("Enter", 13, "\r")
	b.sees(chatting)
	require.Equal(t, "queued", state(t, "visit-"+enterVisit)["state"])

	b.invite(tabVisit)
	b.press("Tab", 9, "")
	require.Equal(t, "decline", b.evaluate(`document.activeElement.id`))
	b.press("Enter", 13, "\r")
	b.sees(declined)
}

// TestThePageIsOneOfTwo has a visitor with two pages: the answer of one takes the invitation from the other.
func TestThePageIsOneOfTwo(t *testing.T) {
	twoVisit := unique("two")
	first, second := startBrowser(t), startBrowser(t)
	first.visit(twoVisit, "")
	second.visit(twoVisit, "")
	engageVisit(t, twoVisit, "a")
	first.sees(shown)
	second.sees(shown)
	first.click("accept")
	first.sees(chatting)
	second.sees(over)
	require.False(t, second.isInvited())
	require.Equal(t, "queued", state(t, "visit-"+twoVisit)["state"])
}

// TestThePageHasAWrongClock has a visitor whose clock is days ahead, and who does not answer: the gateway alone
// says when the invitation is over.
func TestThePageHasAWrongClock(t *testing.T) {
	clockVisit := unique("clock")
	b := startBrowser(t)
	b.records()
	b.call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": `{ const now = Date.now; Date.now = () => now() + 3 * 24 * 3600 * 1000; }`})
	status, answer := post(t, "/v1/interactions", `{"id":"`+clockVisit+`","channel":"sms"}`) // its timer is short
	require.Equal(t, 201, status, answer)
	b.visit(clockVisit, "")
	status, answer = post(t, "/server/data/gateway/engage", `{"ixnId":"`+clockVisit+`","visitID":"`+clockVisit+`"}`)
	require.Equal(t, 200, status, answer)
	b.sees(over) // nobody answers
	require.Equal(t, []any{"Welcome.", shown, over}, b.said())
	require.Equal(t, "not_engaged", state(t, clockVisit)["outcome"], "the page did not end it itself")
	require.Equal(t, "timeout", state(t, clockVisit)["engagement"].(map[string]any)["result"])
}
