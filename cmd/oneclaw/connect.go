package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/appliance/client/attested"
)

const (
	defaultURL     = "http://127.0.0.1:8200"
	requestTimeout = time.Minute
)

// address is the base URL of the appliance, in one spelling: credentials are kept
// under it.
func (c *cli) address() string {
	for _, s := range []string{c.apiURL, os.Getenv("ONECLAW_BASE_URL"), os.Getenv("ONECLAW_API_URL"), c.config.get(keyAPIURL)} {
		if s != "" {
			return strings.TrimRight(s, "/")
		}
	}
	return defaultURL
}

// connect returns a client that is whoever o says.
func (c *cli) connect(o client.Options) (*client.Client, error) {
	o, err := c.options(o)
	if err != nil {
		return nil, err
	}
	return client.New(o)
}

// options says in o where the appliance is, and how to get there.
func (c *cli) options(o client.Options) (client.Options, error) {
	transport, err := c.transport()
	if err != nil {
		return o, err
	}
	o.BaseURL = c.address()
	o.HTTP = &http.Client{Transport: transport, Timeout: requestTimeout}
	o.UserAgent = or(o.UserAgent, "oneclaw/"+version)
	return o, nil
}

// transport is the way to the appliance: to one that the appraisal policy accepts, if one
// is named; else to one whose certificate is of the CA that is named, or of any.
func (c *cli) transport() (http.RoundTripper, error) {
	if c.policy == "" {
		return c.plainTransport()
	}
	if c.ca != "" {
		return nil, usagef("--ca and --attest exclude each other: an attested appliance is known by its key, and no CA is asked")
	}
	policy, err := attest.LoadPolicy(c.policy)
	if err != nil {
		return nil, err
	}
	return attested.New(c.address(), attested.Options{Policy: policy})
}

// plainTransport believes the CA that is named, and no other, if there is one.
func (c *cli) plainTransport() (*http.Transport, error) {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
		DialContext:     (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if c.ca == "" {
		return t, nil
	}
	text, err := os.ReadFile(c.ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in it", c.ca)
	}
	t.TLSClientConfig.RootCAs = pool
	return t, nil
}

// environment is what the environment has to prove oneself with, and its name.
func environment() (o client.Options, name string) {
	if token := os.Getenv("ONECLAW_TOKEN"); token != "" {
		return client.Options{Token: token}, "ONECLAW_TOKEN"
	}
	for _, name := range []string{"ONECLAW_API_KEY", "ONECLAW_AGENT_API_KEY"} {
		if key := os.Getenv(name); key != "" {
			return withKey(key), name
		}
	}
	return client.Options{}, ""
}

// withKey proves oneself with a key. A person's is taken as it is, which saves a request
// and an event in the audit log; so is what is no key, but a token in the place of one.
func withKey(key string) client.Options {
	if strings.HasPrefix(key, agentKey) {
		return client.Options{Key: key, AgentID: os.Getenv("ONECLAW_AGENT_ID")}
	}
	return client.Options{Token: key}
}

// How keys begin: a person's, and an agent's.
const (
	personKey = "1ck_"
	agentKey  = "ocv_"
)

// open returns a client that is whoever is signed in.
func (c *cli) open() (*client.Client, error) {
	if o, name := environment(); name != "" {
		return c.connect(o)
	}
	s, err := c.store()
	if err != nil {
		return nil, err
	}
	kept, there, err := s.load(c.address())
	switch {
	case err != nil:
		return nil, err
	case !there:
		return nil, notSignedIn(fmt.Sprintf("you are not signed in at %s\n→ `oneclaw login`; in scripts set ONECLAW_API_KEY", c.address()))
	case !kept.ExpiresAt.IsZero() && time.Now().After(kept.ExpiresAt):
		return nil, notSignedIn(fmt.Sprintf("your sign-in at %s was good until %s\n→ `oneclaw login`", c.address(), kept.ExpiresAt.Local().Format("2006-01-02 15:04")))
	}
	return c.connect(withKey(or(kept.Key, kept.Token)))
}

// exposed reports whether what is sent can be read on the way.
func exposed(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "localhost" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback()
}

// vaultFlag adds the flag that names a vault.
func vaultFlag(cmd *cobra.Command, name *string) {
	cmd.PersistentFlags().StringVarP(name, "vault", "v", "", "id or name of the vault (or ONECLAW_VAULT_ID)")
}

// vaultID is the id of the vault that is meant.
func (c *cli) vaultID(ctx context.Context, remote *client.Client, named string) (string, error) {
	named = or(named, or(os.Getenv("ONECLAW_VAULT_ID"), c.config.get(keyVault)))
	if isID(named) {
		return named, nil
	}
	vaults, err := remote.ListVaults(ctx)
	if err != nil {
		return "", err
	}
	var names, ids []string
	for _, v := range vaults.Vaults {
		if v.CreatedByType == "system" && named == "" { // of agents' keys: nobody means it without saying so
			continue
		}
		if named == "" || v.Name == named {
			ids = append(ids, v.ID)
		}
		names = append(names, v.Name)
	}
	switch {
	case len(ids) == 1:
		return ids[0], nil
	case named != "" && len(ids) > 1:
		return "", usagef("%d vaults are named %q: say the id of one (oneclaw vault list)", len(ids), named)
	case named != "":
		return "", notFound(fmt.Sprintf("you reach no vault named %q; there are: %s", named, or(strings.Join(names, ", "), "none")))
	case len(ids) == 0:
		return "", notFound("you reach no vault\n→ `oneclaw vault create NAME` makes one; an agent needs a policy, from an owner")
	}
	return "", usagef("which vault? say --vault with one of: %s\n→ `oneclaw vault link NAME` makes it the one that is meant", strings.Join(names, ", "))
}

// isID reports whether s looks like the ids of the appliance.
func isID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		switch i {
		case 8, 13, 18, 23:
			if r != '-' {
				return false
			}
		default:
			if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
				return false
			}
		}
	}
	return true
}
