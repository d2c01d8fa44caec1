package httpapi

import (
	"embed"
	"net/http"

	"github.com/gin-gonic/gin"
)

// The pages of the API itself: those that clients and mails open at its address.
// A page shows and asks; what it decides, its script has the API do when somebody
// presses a button. Scripts and styles are files beside the pages, so that their
// policy allows nothing inline and nothing from elsewhere.
const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

	typeHTML   = "text/html; charset=utf-8"
	typeScript = "text/javascript; charset=utf-8"
	typeStyle  = "text/css; charset=utf-8"
)

//go:embed page
var pageFiles embed.FS

// Where somebody decides about what an agent wants to do, and enters a secret that it
// asks for. The pages are the same for everybody: their scripts ask for what their
// addresses name, the second in its fragment (vault=…&path=…).
const (
	approvalPage = "/approvals/{approval_id}"
	secretPage   = "/secrets/new"
)

// mailedPage is what the page behind a link of a mail is made of. The paths are
// those that vault/outbox/letter writes.
type mailedPage struct {
	Name        string // its path, without the slash
	Title, Lead string
	Password    string // the label of the password to choose, if there is one
	Names       bool   // whether it asks for a name
	Asks        bool   // whether it can have another mail sent
	Button      string
	Done        string
	Next        string // what to do about a token that is good no more
}

func (s *Server) pageRoutes() []route {
	pages := []mailedPage{{
		Name: "verify-email", Title: "Confirm your address", Button: "Confirm",
		Lead: "Press the button to say that the address is yours. Your account is ready then.",
		Done: "Your address is confirmed",
		Next: "If you confirmed it before, sign in. Else sign up again: you get another mail, whose link works for 24 hours.",
	}, {
		Name: "reset-password", Title: "Choose a new password", Button: "Change the password",
		Lead:     "Everybody who is signed in with the old password is signed out. A second factor stays on.",
		Password: "New password", Asks: true,
		Done: "Your password was changed",
		Next: "Links work once, for an hour. Have another mail sent to you, below, and open the link in that.",
	}, {
		Name: "accept-invite", Title: "Accept an invitation", Button: "Accept",
		Lead:     "You were invited to an organisation. To accept, choose a password for your account. To decline, close this page.",
		Password: "Password", Names: true,
		Done: "You are a member now",
		Next: "If you accepted it before, sign in. Else ask whoever invited you for another invitation.",
	}}
	routes := []route{func(*Server) {
		s.serveFile("/page/style.css", typeStyle, "page/style.css")
		s.serveFile("/page/client.js", typeScript, "page/client.js")
		s.serveFile("/page/mailed.js", typeScript, "page/mailed.js")
		s.serveFile("/page/signin.js", typeScript, "page/signin.js")
		s.serveFile("/page/approval.js", typeScript, "page/approval.js")
		s.serveFile("/page/secret.js", typeScript, "page/secret.js")
		s.servePage(approvalPage, typeHTML, []byte(piece("approval", signIn())))
		s.servePage(secretPage, typeHTML, []byte(piece("secret", signIn())))
	}}
	for _, p := range pages {
		routes = append(routes, func(*Server) { s.servePage("/"+p.Name, typeHTML, []byte(p.page())) })
	}
	return routes
}

// signIn is the form to sign in with, where a page has a place for it.
func signIn() place { return part("signin", piece("signin")) }

func (p mailedPage) page() markup {
	var fields, ask markup
	if p.Names {
		fields += piece("mailed-name")
	}
	if p.Password != "" {
		fields += piece("mailed-password", text("password", p.Password))
	}
	if p.Asks {
		ask = piece("mailed-ask")
	}
	return piece("mailed", text("name", p.Name), text("title", p.Title), text("lead", p.Lead), text("button", p.Button),
		text("done", p.Done), text("next", p.Next), part("fields", fields), part("ask", ask))
}

func (s *Server) serveFile(path, contentType, name string) {
	s.servePage(path, contentType, pageFile(name))
}

// servePage serves what is the same for everybody.
func (s *Server) servePage(path, contentType string, body []byte) {
	at, _ := ginPath(path, "")
	s.router.GET(at, func(c *gin.Context) {
		callFrom(c.Request.Context()).route = path
		writePage(c, contentType, body)
	})
	s.list(get, path, "page", access{public: true})
}

func writePage(c *gin.Context, contentType string, body []byte) {
	h := c.Writer.Header()
	h["Content-Type"] = []string{contentType}
	h["Content-Security-Policy"] = []string{pagePolicy}
	h["Cross-Origin-Opener-Policy"] = sameOrigin
	c.Status(http.StatusOK)
	_, _ = c.Writer.Write(body)
}
