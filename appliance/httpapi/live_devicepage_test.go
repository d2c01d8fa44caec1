package httpapi

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium, and what it complained of.
type browser struct {
	ctx context.Context
	t   *testing.T

	mu         sync.Mutex
	complaints []string
	meant      []string // what complaints may have in them
	urls       []string
}

// chromium starts one. Without it the test is skipped, or fails if ONECLAW_REQUIRE
// lists chromium.
func chromium(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), "chromium") {
			t.Fatal("ONECLAW_REQUIRE has chromium, but it is not installed")
		}
		t.Skip("chromium is not installed")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-dev-shm-usage", true))
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stopAlloc)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx, t: t}
	b.run() // which starts it
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded: // what a policy forbids, what could not be loaded
		b.complaints = append(b.complaints, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		b.urls = append(b.urls, e.Request.URL)
	}
}

func (b *browser) run(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		page, _ := chromedp.Run(b.ctx, chromedp.OuterHTML("html"))
		b.t.Fatalf("%v; complaints: %q; the page:\n%s", err, b.complaints, page)
	}
}

// ask runs an action that has an answer.
func ask[T any](b *browser, a chromedp.Action[T]) T {
	b.t.Helper()
	out, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// text is what somebody reads at a selector.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return ask(b, chromedp.Text(selector))
}

// fill types into a field that is shown.
func fill(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.WaitVisible(selector), chromedp.SendKeys(selector, text))
}

// keptNothing fails if the page put anything where it outlives the page.
func (b *browser) keptNothing(secrets ...string) {
	b.t.Helper()
	kept := ask(b, chromedp.Evaluate[string](`JSON.stringify([localStorage.length, sessionStorage.length, document.cookie, location.href, history.length])`))
	if !strings.HasPrefix(kept, `[0,0,"",`) {
		b.t.Errorf("something is kept: %s", kept)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.urls {
		for _, s := range secrets {
			if strings.Contains(u, s) {
				b.t.Errorf("a secret is in the address %s", u)
			}
		}
	}
	for _, c := range b.complaints {
		if !slices.ContainsFunc(b.meant, func(m string) bool { return strings.Contains(c, m) }) {
			b.t.Errorf("the browser complains: %q", c)
		}
	}
}

// mayRefuse says that the page asks for something that is answered so, of which
// the browser complains whenever it gets round to it.
func (b *browser) mayRefuse(status int) {
	b.meant = append(b.meant, fmt.Sprintf("responded with a status of %d", status))
}

// listening serves l on this machine.
func (l *live) listening(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(l.Server)
	t.Cleanup(server.Close)
	return server.URL
}

// begins starts a device's request.
func (l *live) begins() (device, user string) {
	l.Helper()
	a := l.want(step{method: post, url: "/v1/auth/device/code", body: `{"client_id":"cli"}`, status: 200})
	return a.text("device_code"), a.text("user_code")
}

func (l *live) polls(device string) answered {
	l.Helper()
	l.clock.advance(5 * time.Second)
	return l.want(step{name: "poll", method: post, url: "/v1/auth/device/token", body: fmt.Sprintf(`{"device_code":%q,"grant_type":%q}`, device, deviceGrant), status: 200})
}

func TestH15ThePageApproves(t *testing.T) {
	b, l := chromium(t), newLive(t)
	url := l.listening(t)
	device, user := l.begins()
	b.run(chromedp.Navigate(url+"/cli/verify?code="+user), chromedp.WaitVisible("#email"))
	if b.text("#code") != user || !strings.Contains(b.text("section.asked"), "cli will be signed in as you for 24 hours") {
		t.Errorf("%q %q", b.text("#code"), b.text("section.asked"))
	}
	b.run(fill("#email", ownerEmail), fill("#password", "Wrong-"+canary), chromedp.Click("#signin button"), chromedp.WaitVisible("#error"))
	if got := b.text("#error"); got != "Invalid credentials" {
		t.Errorf("a wrong password: %q", got)
	}
	b.mayRefuse(401)
	b.run(fill("#password", ownerPassword), chromedp.Click("#signin button"), chromedp.WaitVisible("#approve"))
	if got := b.text("#who"); got != ownerEmail {
		t.Errorf("signed in as %q", got)
	}
	if a := l.polls(device); a.text("error") != "authorization_pending" {
		t.Errorf("before it is approved: %s", a.Body)
	}
	b.run(chromedp.Click("#approve"), chromedp.WaitVisible("#outcome"))
	if got := b.text("#outcome"); !strings.HasPrefix(got, "Approved") {
		t.Errorf("%q", got)
	}
	l.tokens["device"] = l.polls(device).text("access_token")
	l.want(step{name: "the device is in", url: "/v1/auth/me", as: "device", status: 200, has: []string{ownerEmail}})
	b.keptNothing(l.tokens["device"], ownerPassword, canary)
	if shot := os.Getenv("ONECLAW_SCREENSHOTS"); shot != "" {
		_, other := l.begins()
		b.run(chromedp.Navigate(url+"/cli/verify?code="+other), chromedp.WaitVisible("#email"))
		l.ok(os.WriteFile(shot+"/cli-verify.png", ask(b, chromedp.FullScreenshot(100)), 0o600))
	}
}

func TestH15ThePageDeniesWithASecondFactor(t *testing.T) {
	b, l := chromium(t), newLive(t)
	url := l.listening(t)
	secret := l.secondFactor("owner")
	device, user := l.begins()
	b.run(chromedp.Navigate(url+"/cli/verify"), fill("#typed", strings.ToLower(strings.ReplaceAll(user, "-", " "))),
		chromedp.Click("#enter button"), fill("#email", ownerEmail), fill("#password", ownerPassword), chromedp.Click("#signin button"),
		fill("#otp", l.otp(secret, 1)), chromedp.Click("#second button"), chromedp.WaitVisible("#deny"), chromedp.Click("#deny"),
		chromedp.WaitVisible("#outcome"))
	if got := b.text("#outcome"); !strings.HasPrefix(got, "Denied") {
		t.Errorf("%q", got)
	}
	if a := l.polls(device); a.text("error") != "access_denied" {
		t.Errorf("%s", a.Body)
	}
	b.keptNothing(ownerPassword, l.tokens["owner"])
	b.run(chromedp.Navigate(url+"/cli/verify?code="+user), chromedp.WaitVisible(".problem:not(#error)"))
	if got := b.text(".problem:not(#error)"); got != "This code was denied." {
		t.Errorf("%q", got)
	}
}

// The form that asks for a code goes nowhere else, and nothing that a link says
// becomes part of the page.
func TestH15ThePageIsFenced(t *testing.T) {
	l := newLive(t)
	get := func(url string) *httptest.ResponseRecorder { return l.send(step{url: url}).ResponseRecorder }
	page := get("/cli/verify?code=%3Cscript%3E" + canary)
	csp := page.Header().Get("Content-Security-Policy")
	if page.Code != 200 || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "script-src 'self';") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("%d %s", page.Code, csp)
	}
	if body := page.Body.String(); strings.Contains(body, canary) || strings.Contains(body, "style=") || strings.Contains(body, "onclick") {
		t.Errorf("%s", body)
	}
	for url, kind := range map[string]string{"/cli/verify.js": "text/javascript; charset=utf-8", "/page/style.css": "text/css; charset=utf-8", "/page/client.js": "text/javascript; charset=utf-8"} {
		if a := get(url); a.Code != 200 || a.Header().Get("Content-Type") != kind || a.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", url, a.Code, a.Header())
		}
	}
	if csp := get("/v1/health").Header().Get("Content-Security-Policy"); csp != noContent[0] {
		t.Errorf("the API's own policy changed: %s", csp)
	}
	_, user := l.begins()
	l.clock.advance(10 * time.Minute)
	if body := get("/cli/verify?code=" + user).Body.String(); !strings.Contains(body, "has expired") || strings.Contains(body, "Sign in") {
		t.Errorf("%s", body)
	}
}
