package httpapi

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// link is that of the newest mail to an address, as of the server at url, and the
// token in it.
func (l *live) link(address, url string) (link, token string) {
	l.Helper()
	token = l.mailed(address)
	body := l.mails(address)[0].Body
	end := strings.Index(body, "#token=")
	start := strings.LastIndex(body[:end], "https://vault.example")
	return url + strings.TrimPrefix(body[start:end], "https://vault.example") + "#token=" + token, token
}

// enter types into a field that is shown and presses the key.
func enter(selector, text string) chromedp.Action[chromedp.Void] {
	return fill(selector, text+kb.Enter)
}

// shows waits for a text.
func (b *browser) shows(selector, text string) {
	b.t.Helper()
	b.run(chromedp.WaitVisible(selector))
	if got := b.text(selector); !strings.Contains(got, text) {
		b.t.Errorf("%s says %q, want %q", selector, got, text)
	}
}

// picture keeps what the page looks like, where somebody wants to see it.
func (b *browser) picture(name string) {
	b.t.Helper()
	if dir := os.Getenv("ONECLAW_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(dir+"/"+name+".png", ask(b, chromedp.FullScreenshot(100)), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

// notServed fails if a token came to the server in an address.
func (l *live) notServed(token string) {
	l.Helper()
	if strings.Contains(l.log.String(), token) {
		l.Error("a token is in the server's log")
	}
}

func TestH9ThePageConfirmsAnAddress(t *testing.T) {
	const ann = "ann@example.net"
	b, l := chromium(t), newLive(t)
	b.mayRefuse(400)
	url := l.listening(t)
	l.want(step{method: post, url: "/v1/auth/signup", body: credentials(ann, newPassword), status: 200})
	link, token := l.link(ann, url)
	b.run(chromedp.Navigate(link), chromedp.WaitVisible("#act button"), chromedp.WaitNotVisible("#token"))
	b.picture("verify-email")
	if at := ask(b, chromedp.Location()); at != url+"/verify-email" {
		t.Errorf("the address still says %s", at)
	}
	l.want(step{name: "opening it decides nothing", method: post, url: "/v1/auth/token", body: credentials(ann, newPassword), status: 401})
	b.run(chromedp.KeyEvent(kb.Enter)) // the button has the focus
	b.shows("#outcome", "Your address is confirmed")
	b.keptNothing(token)
	l.signIn(ann, newPassword)

	b.run(chromedp.Navigate("about:blank"), chromedp.Navigate(link), chromedp.WaitVisible("#act button"), chromedp.Click("#act button"))
	b.shows("#error", "was used already")
	b.shows("#next", "If you confirmed it before, sign in")
	l.want(step{method: post, url: "/v1/auth/signup", body: credentials("ben@example.net", newPassword), status: 200})
	b.run(enter("#token", l.mailed("ben@example.net")))
	b.shows("#outcome", "Your address is confirmed")
	b.keptNothing(token)
	l.notServed(token)
}

func TestThePageChoosesAPassword(t *testing.T) {
	b, l := chromium(t), newLive(t)
	b.mayRefuse(400)
	url := l.listening(t)
	b.run(chromedp.Navigate(url+"/reset-password"), enter("#email", ownerEmail))
	b.shows("#sent", "a mail with a link is on its way")
	b.picture("reset-password-ask")
	link, token := l.link(ownerEmail, url)
	b.run(chromedp.Navigate(link), // which changes nothing but what is behind the #
		chromedp.WaitNotVisible("#token"), chromedp.WaitNotVisible("#email"),
		fill("#password", newPassword), enter("#again", newPassword+"x"))
	b.shows("#error", "The two passwords are not the same")
	b.run(fill("#password", "short"), enter("#again", "short"), chromedp.WaitVisible("#error"), chromedp.WaitNotVisible("#token"))
	b.picture("reset-password")
	b.run(fill("#password", newPassword), enter("#again", newPassword))
	b.shows("#outcome", "Your password was changed")
	b.keptNothing(token, newPassword)
	l.signIn(ownerEmail, newPassword)
	l.want(step{name: "the old one", method: post, url: "/v1/auth/token", body: credentials(ownerEmail, ownerPassword), status: 401})

	b.run(chromedp.Navigate("about:blank"), chromedp.Navigate(link), fill("#password", ownerPassword), enter("#again", ownerPassword))
	b.shows("#error", "not valid, was used already, or has expired")
	b.shows("#next", "Have another mail sent to you")
	b.shows("#forgot", "No mail yet?")
	l.signIn(ownerEmail, newPassword)
	l.notServed(token)
}

func TestG1ThePageAcceptsAnInvitation(t *testing.T) {
	const ben = "ben@example.net"
	b, l := chromium(t), newLive(t)
	b.mayRefuse(400)
	url := l.listening(t)
	l.want(step{method: post, url: "/v1/org/invite", as: "owner", body: `{"email":"` + ben + `","role":"admin"}`, status: 200})
	link, token := l.link(ben, url)
	b.run(chromedp.Navigate(link), chromedp.WaitNotVisible("#token"), fill("#name", "Ben"))
	b.picture("accept-invite")
	b.run(fill("#password", newPassword), enter("#again", newPassword))
	b.shows("#outcome", "You are a member now")
	b.keptNothing(token, newPassword)
	l.tokens["ben"] = l.signIn(ben, newPassword)
	l.want(step{name: "who that is", url: "/v1/auth/me", as: "ben", status: 200, has: []string{`"display_name":"Ben"`, `"role":"admin"`, l.org.String()}})
	b.run(chromedp.Navigate("about:blank"), chromedp.Navigate(link), fill("#password", newPassword), enter("#again", newPassword))
	b.shows("#next", "ask whoever invited you")
	l.notServed(token)
}

// The pages are the same for everybody, and nothing that a link says becomes part
// of them or of an event.
func TestMailedPagesAreFenced(t *testing.T) {
	l := newLive(t)
	get := func(url string) *httptest.ResponseRecorder { return l.send(step{url: url}).ResponseRecorder }
	for _, path := range []string{"/verify-email", "/reset-password", "/accept-invite"} {
		plain, asked := get(path), get(path+"?token="+canary)
		h := asked.Header()
		csp := h.Get("Content-Security-Policy")
		if plain.Code != 200 || plain.Body.String() != asked.Body.String() || h.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %v", path, plain.Code, h)
		}
		if csp != pagePolicy || strings.Contains(csp, "unsafe") || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" || h.Get("X-Audit-Event") != "" {
			t.Errorf("%s: %v", path, h)
		}
		body := plain.Body.String()
		for _, inline := range []string{"style=", "onclick", "<style", "<script>", "http://", "https://"} {
			if strings.Contains(body, inline) {
				t.Errorf("%s has %s", path, inline)
			}
		}
		if strings.Count(body, "<label for=") != strings.Count(body, "<input id=") {
			t.Errorf("%s has a field without a label", path)
		}
	}
	if a := l.send(step{method: post, url: "/verify-email"}); a.Code != 405 {
		t.Errorf("a post: %d", a.Code)
	}
}
