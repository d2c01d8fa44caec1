package attested

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// ErrRefused is every reason not to trust an appliance: it shows no evidence, or the
// policy does not accept what it shows. The error that wraps it says which.
var ErrRefused = errors.New("the appliance was not accepted")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrRefused, fmt.Errorf(format, args...))
}

// askTimeout limits each of the two questions of an appraisal.
const askTimeout = time.Minute

// Appraise asks the appliance at a base URL for evidence, once, and says what the
// policy finds. It sends no credentials. Where it succeeds, the connection that it
// asked over ended in what was appraised; another one need not, for which there is
// Transport.
func Appraise(ctx context.Context, base string, policy *attest.Policy) (attest.Result, error) {
	if _, err := secure(base); err != nil {
		return attest.Result{}, err
	}
	found, _, err := appraise(ctx, base, policy)
	return found, err
}

// secure reads a base URL that connections with a key can be made to.
func secure(base string) (*url.URL, error) {
	at, err := url.Parse(base)
	if err != nil || at.Host == "" {
		return nil, errors.New("attested: the base URL must look like https://vault.internal:8200")
	}
	if at.Scheme != "https" {
		return nil, refuse("the connection is not encrypted, so nothing shows that it ends in what was attested; use https://")
	}
	return at, nil
}

// appraise also returns the hash of the key that the connection proved.
func appraise(ctx context.Context, base string, policy *attest.Policy) (found attest.Result, key [32]byte, err error) {
	var met [32]byte
	connection := held(func(shown [32]byte) error {
		if met != [32]byte{} && met != shown {
			return refuse("the key of the connection changed in between")
		}
		met = shown
		return nil
	})
	connection.MaxConnsPerHost = 1 // so that met is written by one handshake at a time
	defer connection.CloseIdleConnections()
	c, err := client.New(client.Options{BaseURL: base, HTTP: &http.Client{Transport: connection, Timeout: askTimeout}})
	if err != nil {
		return found, key, err
	}
	nonce := attest.NewNonce()
	said, err := c.GetAttestation(ctx, hex.EncodeToString(nonce[:]))
	if err != nil {
		return found, key, err
	}
	if !said.Attested {
		return found, key, refuse("it is not attested: %s", said.Reason)
	}
	evidence, err := attest.ParseEvidence(said.Evidence)
	if err != nil {
		return found, key, refuse("%w", err)
	}
	jwt, err := tokenKey(ctx, c)
	if err != nil {
		return found, key, err
	}
	if found, err = policy.Appraise(evidence, attest.Binding{Nonce: nonce, TLSKey: met, JWTKey: jwt}, time.Now()); err != nil {
		return found, key, refuse("%w", err)
	}
	return found, met, nil
}

// tokenKey is the hash of the key that the appliance says verifies its tokens.
func tokenKey(ctx context.Context, c *client.Client) ([32]byte, error) {
	said, err := c.GetJWTPublicKey(ctx)
	if err != nil {
		return [32]byte{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(said.PublicKeyBase64)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return [32]byte{}, refuse("it shows no key for its tokens")
	}
	return attest.HashKey(ed25519.PublicKey(raw))
}

// held is a transport whose connections begin only if check accepts the hash of the
// key that the other end proved.
func held(check func(shown [32]byte) error) *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, IdleConnTimeout: idleTimeout, TLSHandshakeTimeout: handshakeTimeout,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, //nolint:gosec // the key is attested, no CA vouches for it
			VerifyConnection: func(s tls.ConnectionState) error {
				shown, err := shownKey(s.PeerCertificates)
				if err != nil {
					return err
				}
				return check(shown)
			},
		},
	}
}

const (
	idleTimeout      = 90 * time.Second
	handshakeTimeout = 10 * time.Second
)

// shownKey is the hash of the key that the other end of a connection proved.
func shownKey(chain []*x509.Certificate) ([32]byte, error) {
	if len(chain) == 0 {
		return [32]byte{}, refuse("it shows no certificate")
	}
	return attest.HashKey(chain[0].PublicKey)
}
