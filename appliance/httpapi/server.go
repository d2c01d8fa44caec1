package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/shroud/activity"
	"github.com/oneclaw/oneclawd/shroud/pricelist"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox/viewer"
	"github.com/oneclaw/oneclawd/vault/people"
	"github.com/oneclaw/oneclawd/vault/share"
	"github.com/oneclaw/oneclawd/vault/site"
	"github.com/oneclaw/oneclawd/vault/use"
	"github.com/oneclaw/oneclawd/vault/webhook"
)

// Config is what a Server is made of. The zero value of each option is its
// documented default.
type Config struct {
	Version string // of the appliance, for /v1/health

	// PublicURL is where people reach the appliance. Pages from its origin, and
	// from those in Origins, may call the API; no others.
	PublicURL string
	Origins   []string

	// TrustedProxies are believed when they say who the client is.
	TrustedProxies []netip.Prefix
	Limits         Limits

	Identity *identity.Service
	People   *people.Service
	Vaults   *vault.Service
	Agents   *agents.Service
	Enrol    *agents.Enroller
	Shares   *share.Service
	Audit    *audit.Log
	Site     *site.Service // no IP rules, settings and maintenance when nil
	Webhooks *webhook.Service
	Outbox   *viewer.Service
	Intents  *intents.Service
	Prices   *pricelist.Service
	Uses     *use.Service
	Activity *activity.Service
	HSM      Module
	ReadOnly func() bool // whether the disk takes no changes; nil means never
	Attestor Attestor    // nil: the machine was not attested

	Log *slog.Logger // slog.Default() when nil

	// Observe is told of each request: its method, the template of its route ("" if
	// none matched), its status and how long it took. It may be nil.
	Observe func(method, route string, status int, took time.Duration)

	// Trace is told of each request as it begins. It returns the context of what is
	// done for it, and what is told how it ended; the operation is "" if no route
	// matched. It may be nil.
	Trace func(*http.Request) (context.Context, func(method, route, operation string, status int))
}

// Server is the HTTP API.
type Server struct {
	version  string
	log      *slog.Logger
	identity Authenticator // usually people
	people   *identity.Service
	accounts *people.Service
	vaults   *vault.Service
	agents   *agents.Service
	enrol    *agents.Enroller
	shares   *share.Service
	audit    *audit.Log
	site     *site.Service
	webhooks *webhook.Service
	outbox   *viewer.Service
	intents  *intents.Service
	prices   *pricelist.Service
	uses     *use.Service
	activity *activity.Service
	admit    Admitter // usually site; nil lets all in
	hsm      Module
	readOnly func() bool
	attestor Attestor
	base     string // of links to this appliance, without a slash at the end

	proxies proxies
	origins origins
	rate    *limiter // all requests
	guesses *limiter // public routes that take a credential
	drain   *drain
	observe func(method, route string, status int, took time.Duration)
	trace   func(*http.Request) (context.Context, func(method, route, operation string, status int))

	huma    huma.API
	router  *gin.Engine
	surface []string
}

// New returns a Server for c.
func New(c Config) *Server {
	fenceLibraries()
	s := &Server{
		version: c.Version, log: c.Log, identity: c.Identity,
		people: c.Identity, accounts: c.People, vaults: c.Vaults, agents: c.Agents, enrol: c.Enrol, shares: c.Shares, audit: c.Audit, hsm: c.HSM, readOnly: c.ReadOnly, attestor: c.Attestor,
		webhooks: c.Webhooks, outbox: c.Outbox, intents: c.Intents, prices: c.Prices, uses: c.Uses, activity: c.Activity,
		base:    strings.TrimRight(c.PublicURL, "/"),
		proxies: c.TrustedProxies,
		origins: originsOf(append([]string{c.PublicURL}, c.Origins...)...),
		rate:    newLimiter(c.Limits.Global, defaultGlobal),
		guesses: newLimiter(c.Limits.Auth, defaultAuth),
		drain:   newDrain(),
		observe: c.Observe,
		trace:   c.Trace,
		router:  gin.New(),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if c.Site != nil {
		s.site, s.admit = c.Site, c.Site
	}
	if s.rate != nil {
		s.rate.spare = !c.Limits.LimitLoopback
	}
	s.fenceRouter()
	s.huma = huma.NewAPI(humaConfig(), adapter{s.router})
	for _, r := range s.routes() {
		r(s)
	}
	s.serveDocument()
	return s
}

// routes is the whole API, one line for each resource.
func (s *Server) routes() []route {
	var all []route
	for _, resource := range [][]route{
		s.healthRoutes(), s.attestationRoutes(), s.authRoutes(), s.apiKeyRoutes(), s.vaultRoutes(), s.secretRoutes(),
		s.policyRoutes(), s.agentRoutes(), s.useRoutes(), s.shareRoutes(), s.auditRoutes(), s.cmekRoutes(), s.siteRoutes(), s.priceRoutes(), s.activityRoutes(),
		s.federationRoutes(), s.enrolRoutes(),
		s.peopleRoutes(), s.mfaRoutes(), s.deviceRoutes(), s.pageRoutes(), s.memberRoutes(), s.webhookRoutes(), s.outboxRoutes(),
		s.chainRoutes(), s.transactionRoutes(), s.messageRoutes(), s.approvalRoutes(), s.simulationRoutes(), s.signingKeyRoutes(), s.inspectRoutes(),
	} {
		all = append(all, resource...)
	}
	return all
}

// fenceRouter leaves gin nothing to do but match: no redirects (a secret path
// is taken as it is or not at all), no cleaning, no second decoding.
func (s *Server) fenceRouter() {
	r := s.router
	r.RedirectTrailingSlash = false
	r.RedirectFixedPath = false
	r.RemoveExtraSlash = false
	r.UseRawPath = false
	r.UseEscapedPath = false
	r.ForwardedByClientIP = false
	r.HandleMethodNotAllowed = true
	r.NoRoute(func(c *gin.Context) { s.refuse(c.Request.Context(), c.Writer, errNoRoute) })
	r.NoMethod(func(c *gin.Context) {
		writeProblem(c.Writer, newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "This route does not take this method"))
	})
}

// ServeHTTP takes a request through the stages, in the order of the contract.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.drain.enter() {
		w.Header().Set("Connection", "close")
		writeProblem(w, toProblem(errDraining.After(time.Second)))
		return
	}
	defer s.drain.leave()

	c, r := s.begin(w, r)
	defer func() { s.end(c, r, recover()) }()
	c.secure()
	if s.origins.preflight(c, r) {
		return
	}
	if wait, ok := s.rate.take(c.ip); !ok {
		s.refuse(r.Context(), c, errTooMany.After(wait))
		return
	}
	s.router.ServeHTTP(c, r)
}

// Shutdown lets no more requests in and waits until those inside are answered
// or ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.drain.close(ctx) }
