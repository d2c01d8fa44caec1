package httpapi

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A mail leads to the page of an approval. It shows what is asked, to who may see
// it, and decides nothing until somebody presses a button.
func TestThePageOfAnApproval(t *testing.T) {
	b, l := chromium(t), newLive(t)
	url := l.listening(t)
	p := l.guarded(`{"above_eth":"1","approvers":1}`)
	ask := func(value string) string {
		t.Helper()
		return l.want(step{method: post, url: p.url, as: "payer", body: pay(somebody1, value, ""), status: 202}).text("approval_id")
	}
	status := func(approval, want string) {
		t.Helper()
		l.want(step{name: "its status", url: "/v1/approvals/" + approval, as: "owner", status: 200, has: []string{`"status":"` + want + `"`}})
	}
	signIn := chromedp.Steps(fill("#email", ownerEmail), fill("#password", ownerPassword), chromedp.Click("#signin button"), chromedp.WaitVisible("#decide"))

	yes, no := ask("1.5"), ask("2.5")
	b.run(chromedp.Navigate(url+"/approvals/"+yes), signIn)
	for selector, want := range map[string]string{
		"#summary": "1500000000000000000", "#why": "above 1 ETH", "#votes": "0 of 1 have agreed", "#who": ownerEmail,
	} {
		if got := b.text(selector); !strings.Contains(got, want) {
			t.Errorf("%s says %q", selector, got)
		}
	}
	if got := b.text("#summary"); !strings.Contains(got, somebody1) {
		t.Errorf("the page does not say to whom: %q", got)
	}
	status(yes, "pending")
	b.run(chromedp.Click("#approve"), chromedp.WaitVisible("#outcome"))
	if got := b.text("#outcome"); !strings.HasPrefix(got, "Approved: the agent may do it once") {
		t.Errorf("%q", got)
	}
	status(yes, "approved")

	b.run(chromedp.Navigate(url+"/approvals/"+no), signIn, fill("#reason", "too much"), chromedp.Click("#deny"), chromedp.WaitVisible("#outcome"))
	status(no, "denied")
	l.want(step{name: "why", url: "/v1/approvals/" + no, as: "owner", status: 200, has: []string{`"reason":"too much"`}})

	b.run(chromedp.Navigate(url+"/approvals/"+no), signIn, chromedp.WaitNotVisible("#open"))
	if got := b.text("#votes"); got != "It is denied." {
		t.Errorf("decided, it says %q", got)
	}
	b.mayRefuse(400)
	b.run(chromedp.Navigate(url+"/approvals/none"), fill("#email", ownerEmail), fill("#password", ownerPassword), chromedp.Click("#signin button"), chromedp.WaitVisible("#error"))
	b.keptNothing(ownerPassword)
}

// A value that somebody enters is in the vault, and nowhere else.
func TestThePageOfASecret(t *testing.T) {
	b, l := chromium(t), newLive(t)
	url := l.listening(t)
	vault := l.want(step{method: post, url: "/v1/vaults", as: "owner", body: `{"name":"of the page"}`, status: 201}).text("id")
	page := url + "/secrets/new#vault=" + vault + "&path=api-keys%2Fstripe"
	signIn := chromedp.Steps(fill("#email", ownerEmail), fill("#password", ownerPassword), chromedp.Click("#signin button"))

	b.run(chromedp.Navigate(page), signIn, chromedp.WaitVisible("#decide"))
	if got := b.text("#vault") + " " + b.text("#path"); got != "of the page api-keys/stripe" {
		t.Errorf("it says %q", got)
	}
	b.run(fill("#value", "entered-by-hand"), chromedp.Click("#store"), chromedp.WaitVisible("#outcome"))
	l.want(step{name: "it is there", url: "/v1/vaults/" + vault + "/secrets/api-keys/stripe", as: "owner", status: 200, has: []string{`"value":"entered-by-hand"`}})
	b.keptNothing(ownerPassword, "entered-by-hand")

	b.mayRefuse(404)
	b.run(chromedp.Navigate("about:blank"), chromedp.Navigate(url+"/secrets/new#vault=0190d6f0-0000-7000-8000-000000000001&path=a"), signIn, chromedp.WaitVisible("#error"))
}
