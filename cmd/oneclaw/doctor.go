package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// How good a thing is that doctor looked at.
const (
	fine    = "fine"
	note    = "note"
	trouble = "trouble"
)

// finding is what doctor says of one thing.
type finding struct {
	Level string `json:"level"`
	Area  string `json:"area"`
	What  string `json:"what"`
	Do    string `json:"do,omitempty"`
}

func newDoctor(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what is wrong between you and the appliance, and what to do",
		Long: `Look at the address, the way there, its certificate, the clocks, the appliance, your
credentials and the vault that is meant, and say in words what is wrong and what to do.
Nothing is changed, and no secret is read. The exit code is 1 if there is trouble.

What is wrong with the appliance itself, oneclawd doctor says there.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := c.examine(cmd.Context())
			var rows [][]string
			bad := false
			for _, f := range found {
				rows = append(rows, []string{f.Level, f.Area, f.What})
				if f.Do != "" {
					rows = append(rows, []string{"", "", "→ " + f.Do})
				}
				bad = bad || f.Level == trouble
			}
			if err := c.list(cmd, found, nil, rows); err != nil {
				return err
			}
			if bad {
				return errTrouble
			}
			return nil
		},
	}
}

// examine looks at one thing after the other; where one fails, those that need it are
// not looked at.
func (c *cli) examine(ctx context.Context) []finding {
	found := []finding{c.examineAddress()}
	at, err := c.examineWay(ctx)
	found = append(found, at...)
	if err != nil {
		return found
	}
	found = append(found, c.examineHealth(ctx)...)
	who, remote := c.examineCredentials(ctx)
	found = append(found, who...)
	if remote != nil {
		found = append(found, c.examineVault(ctx, remote))
	}
	return found
}

func (c *cli) examineAddress() finding {
	from := "built in"
	for _, s := range []struct{ value, name string }{
		{c.apiURL, "--api-url"}, {os.Getenv("ONECLAW_BASE_URL"), "ONECLAW_BASE_URL"}, {os.Getenv("ONECLAW_API_URL"), "ONECLAW_API_URL"}, {c.config.get(keyAPIURL), c.config.path},
	} {
		if s.value != "" {
			from = s.name
			break
		}
	}
	what := fmt.Sprintf("%s (%s)", c.address(), from)
	if exposed(c.address()) {
		return finding{trouble, "address", what + " is not encrypted: others on the way can read secrets", "use https; docs/sign-in.md of the appliance says how it gets a certificate"}
	}
	return finding{fine, "address", what, ""}
}

// tolerated is how far clocks may be apart before tokens are refused or used too long.
const tolerated = 30 * time.Second

// examineWay tries the way there, without credentials.
func (c *cli) examineWay(ctx context.Context) ([]finding, error) {
	transport, err := c.transport()
	if err != nil {
		return []finding{{trouble, "CA", err.Error(), "name a file with certificates (PEM) with --ca or ONECLAW_CA_FILE"}}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address()+"/v1/health", nil)
	if err != nil {
		return []finding{{trouble, "address", "it cannot be read: it must look like https://vault.internal:8200", "oneclaw config set api-url URL"}}, err
	}
	began := time.Now()
	res, err := (&http.Client{Transport: transport, Timeout: 15 * time.Second}).Do(req)
	if err != nil {
		return []finding{{trouble, "way", words(err), or(advice(err), "is the address right?")}}, err
	}
	defer res.Body.Close()
	took := time.Since(began)
	found := []finding{{fine, "way", fmt.Sprintf("it answers, in %s", took.Round(time.Millisecond)), ""}}
	if res.TLS != nil {
		found = append(found, certificate(res.TLS))
	}
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		found = append(found, clocks(time.Since(date)))
	}
	return found, nil
}

func certificate(state *tls.ConnectionState) finding {
	left := time.Until(state.PeerCertificates[0].NotAfter)
	what := fmt.Sprintf("%s, certificate good for %d more days", tls.VersionName(state.Version), int(left.Hours()/24))
	if left < 7*24*time.Hour {
		return finding{note, "TLS", what, "whoever runs the appliance should renew it"}
	}
	return finding{fine, "TLS", what, ""}
}

func clocks(apart time.Duration) finding {
	if apart < -tolerated || apart > tolerated+time.Second { // the header has whole seconds
		return finding{trouble, "clock", fmt.Sprintf("this machine's and the appliance's are %s apart: tokens may be refused", apart.Abs().Round(time.Second)), "set the clock that is wrong"}
	}
	return finding{fine, "clock", "as the appliance's", ""}
}

func (c *cli) examineHealth(ctx context.Context) []finding {
	anybody, err := c.connect(client.Options{Attempts: 1})
	if err != nil {
		return []finding{{trouble, "appliance", words(err), ""}}
	}
	health, err := anybody.HealthCheck(ctx)
	if err != nil {
		return []finding{{trouble, "appliance", words(err), "is there something else than a oneclawd at this address, or a proxy that is in the way?"}}
	}
	found := []finding{{fine, "appliance", fmt.Sprintf("oneclawd %s, %s", health.Version, health.Status), ""}}
	if health.Status != api.Healthy {
		found[0].Level, found[0].Do = note, "whoever runs it should look: oneclawd doctor"
	}
	keys, err := anybody.HealthHSM(ctx)
	switch {
	case err != nil, keys.Status == api.HSMUnavailable:
		found = append(found, finding{trouble, "keys", "they cannot be used: the appliance is sealed, or its HSM does not answer", "whoever runs it has to unseal it: oneclawd unseal"})
	case !keys.IsHSM:
		found = append(found, finding{note, "keys", "they are not in an HSM (" + keys.Module + ")", "for more than trying it out, use a token"})
	default:
		found = append(found, finding{fine, "keys", "in the HSM (" + keys.Module + ")", ""})
	}
	return found
}

func (c *cli) examineCredentials(ctx context.Context) ([]finding, *client.Client) {
	remote, err := c.open()
	if err != nil {
		return []finding{{trouble, "credentials", words(err), "oneclaw login"}}, nil
	}
	me, err := identify(ctx, remote)
	from := "login"
	if _, name := environment(); name != "" {
		from = name
	}
	switch {
	case errors.Is(err, client.ErrUnauthenticated):
		return []finding{{trouble, "credentials", fmt.Sprintf("those of %s are not taken: %s", from, words(err)), "oneclaw login, or another value of " + from}}, nil
	case err != nil:
		return []finding{{trouble, "credentials", words(err), advice(err)}}, nil
	}
	return []finding{{fine, "credentials", fmt.Sprintf("%s, from %s", me.name(), from), ""}}, remote
}

func (c *cli) examineVault(ctx context.Context, remote *client.Client) finding {
	id, err := c.vaultID(ctx, remote, "")
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return finding{note, "vault", "none is meant where none is named", "oneclaw vault link NAME"}
	case err != nil:
		return finding{trouble, "vault", words(err), ""}
	}
	if _, err := remote.ListSecrets(ctx, id, ""); err != nil {
		return finding{trouble, "vault", fmt.Sprintf("%s: %s", id, words(err)), advice(err)}
	}
	return finding{fine, "vault", id + ", and you may list it", ""}
}
