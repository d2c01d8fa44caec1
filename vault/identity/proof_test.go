package identity_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// certificate is a self-signed one.
func certificate(t testing.TB, from, until time.Time) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bot"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

// put stores an agent as registering it does.
func (w *world) put(a identity.Agent) error {
	if a.Org.IsZero() {
		a.Org = w.org
	}
	return w.faults.Runner.Update(w.Ctx, func(tx identity.Tx) error {
		if err := w.KeepClaim(tx, a); err != nil {
			return err
		}
		return tx.PutAgent(a)
	})
}

func mtlsAgent(cert *x509.Certificate) identity.Agent {
	return identity.Agent{ID: id.New(), AuthMethod: identity.AuthMTLS, Active: true, CertFingerprint: identity.Fingerprint(cert)}
}

// lastDetails are those of the newest event.
func (w *world) lastDetails() (d map[string]string) {
	w.Helper()
	all := w.Leaves(0)
	var e struct{ Details map[string]string }
	w.OK(json.Unmarshal(all[len(all)-1], &e))
	return e.Details
}

func TestCertificateIsExchanged(t *testing.T) {
	w := newWorld(t)
	cert := certificate(t, clocktest.Noon.Add(-time.Hour), clocktest.Noon.Add(time.Hour))
	a := mtlsAgent(cert)
	a.VaultIDs = []id.ID{id.New()}
	w.OK(w.put(a))
	for _, named := range []id.ID{{}, a.ID} {
		tok, err := w.ExchangeCertificate(w.Ctx, named, cert, peer)
		w.OK(err)
		if tok.Agent != a.ID || tok.ExpiresIn != 3600 || len(tok.VaultIDs) != 1 {
			t.Errorf("got %+v", tok)
		}
		p, err := w.Authenticate(w.Ctx, tok.JWT, peer)
		w.OK(err)
		if p.ID != a.ID || p.Org != w.org {
			t.Errorf("got %+v", p)
		}
	}
}

func TestCertificateIsRefused(t *testing.T) {
	w := newWorld(t)
	from, until := clocktest.Noon.Add(-time.Hour), clocktest.Noon.Add(time.Hour)
	good, later, earlier, off, ended, other := certificate(t, from, until), certificate(t, until, until.Add(1)), certificate(t, from, clocktest.Noon.Add(-time.Second)),
		certificate(t, from, until), certificate(t, from, until), certificate(t, from, until)
	a := mtlsAgent(good)
	w.OK(w.put(a))
	w.OK(w.put(mtlsAgent(later)))
	w.OK(w.put(mtlsAgent(earlier)))
	inactive, over := mtlsAgent(off), mtlsAgent(ended)
	inactive.Active, over.ExpiresAt = false, &clocktest.Noon
	w.OK(w.put(inactive))
	w.OK(w.put(over))
	for _, c := range []struct {
		name  string
		cert  *x509.Certificate
		agent id.ID
		cause string
	}{
		{"unknown", other, id.ID{}, "unknown_proof"},
		{"of another agent than said", good, id.New(), "unknown_proof"},
		{"not valid yet", later, id.ID{}, "certificate_not_current"},
		{"not valid any more", earlier, id.ID{}, "certificate_not_current"},
		{"of a deactivated agent", off, id.ID{}, "unknown_proof"},
		{"of a deactivated agent that is named", off, inactive.ID, "unknown_proof"},
		{"of an expired agent", ended, id.ID{}, "agent_expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.ExchangeCertificate(w.Ctx, c.agent, c.cert, peer)
			if !errors.Is(err, identity.ErrCredentials) || fault.As(err).Msg != "Invalid credentials" {
				t.Fatalf("got %v", err)
			}
			if d := w.lastDetails(); d["method"] != "mtls" || d["cause"] != c.cause {
				t.Errorf("logged %v", d)
			}
		})
	}
}

// What stops being an agent's proof when it is deactivated is one again when it
// is not; meanwhile another may have it.
func TestClaimsFollowTheAgent(t *testing.T) {
	w := newWorld(t)
	cert := certificate(t, clocktest.Noon.Add(-time.Hour), clocktest.Noon.Add(time.Hour))
	one, two := mtlsAgent(cert), mtlsAgent(cert)
	w.OK(w.put(one))
	w.OK(w.put(one)) // again
	w.Is(w.put(two), identity.ErrClaimTaken)
	one.Active = false
	w.OK(w.put(one))
	w.OK(w.put(two))
	one.Active = true
	w.Is(w.put(one), identity.ErrClaimTaken)
	tok, err := w.ExchangeCertificate(w.Ctx, id.ID{}, cert, peer)
	w.OK(err)
	if tok.Agent != two.ID {
		t.Error("the wrong agent")
	}
	one.Active = false
	w.OK(w.put(one)) // takes nothing from the other
	_, err = w.ExchangeCertificate(w.Ctx, id.ID{}, cert, peer)
	w.OK(err)
}

// A stranger who registers somebody else's certificate gets nobody a token of the
// stranger's organisation by surprise.
func TestSharedProofNeedsTheAgentsID(t *testing.T) {
	w := newWorld(t)
	cert := certificate(t, clocktest.Noon.Add(-time.Hour), clocktest.Noon.Add(time.Hour))
	mine, theirs := mtlsAgent(cert), mtlsAgent(cert)
	theirs.Org = id.New()
	w.OK(w.put(mine))
	w.OK(w.put(theirs))
	_, err := w.ExchangeCertificate(w.Ctx, id.ID{}, cert, peer)
	w.Is(err, identity.ErrCredentials)
	if d := w.lastDetails(); d["cause"] != "shared_proof" {
		t.Errorf("logged %v", d)
	}
	tok, err := w.ExchangeCertificate(w.Ctx, mine.ID, cert, peer)
	w.OK(err)
	if tok.Agent != mine.ID {
		t.Error("the wrong agent")
	}
}

// issuers stands for verified tokens: "issuer client".
type issuers map[string][2]string

var errForged = fault.New(fault.Unauthenticated, "bad_signature", "x")

func (i issuers) Workload(_ context.Context, token string) (string, string, error) {
	if token == "down" {
		return "", "", fault.New(fault.Unavailable, "issuer_unreachable", "x")
	}
	w, ok := i[token]
	if !ok {
		return "", "", errForged
	}
	return w[0], w[1], nil
}

func (i issuers) Person(_ context.Context, token string) (identity.Person, error) {
	w, ok := i[token]
	if !ok {
		return identity.Person{}, errForged
	}
	return identity.Person{Email: w[0], Name: w[1]}, nil
}

func TestWorkloadTokenIsExchanged(t *testing.T) {
	w := newWorld(t)
	_, err := w.ExchangeWorkloadToken(w.Ctx, id.ID{}, "t", peer)
	w.Is(err, identity.ErrNoIssuers)
	w.Service = identity.New(identity.Config{DB: w.faults, Signer: w.gate, Key: w.key, Pepper: w.pepper, Now: w.Clock.Now, Workloads: issuers{
		"t": {"https://idp", "bot"}, "other client": {"https://idp", "bo"}, "other issuer": {"https://idpb", "ot"},
	}})
	a := identity.Agent{ID: id.New(), AuthMethod: identity.AuthOIDC, Active: true, OIDCIssuer: "https://idp", OIDCClientID: "bot"}
	w.OK(w.put(a))
	again := a
	again.ID = id.New()
	w.Is(w.put(again), identity.ErrClaimTaken)
	tok, err := w.ExchangeWorkloadToken(w.Ctx, id.ID{}, "t", peer)
	w.OK(err)
	if tok.Agent != a.ID {
		t.Errorf("got %+v", tok)
	}
	for token, cause := range map[string]string{"forged": "bad_signature", "other client": "unknown_proof", "other issuer": "unknown_proof"} {
		_, err := w.ExchangeWorkloadToken(w.Ctx, id.ID{}, token, peer)
		w.Is(err, identity.ErrCredentials)
		if d := w.lastDetails(); d["method"] != "oidc_client_credentials" || d["cause"] != cause {
			t.Errorf("%s: logged %v", token, d)
		}
	}
	if _, err = w.ExchangeWorkloadToken(w.Ctx, id.ID{}, "down", peer); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("an issuer that cannot be reached: %v", err)
	}
}

func TestSignInPerson(t *testing.T) {
	w := newWorld(t)
	_, err := w.SignInPerson(w.Ctx, "t", peer)
	w.Is(err, identity.ErrNoSignIn)
	w.Service = identity.New(identity.Config{DB: w.faults, Signer: w.gate, Key: w.key, Pepper: w.pepper, Now: w.Clock.Now,
		SignIns: issuers{"t": {email, "Ann"}}})
	_, err = w.SignInPerson(w.Ctx, "forged", peer)
	w.Is(err, identity.ErrCredentials)
	who, err := w.SignInPerson(w.Ctx, "t", peer)
	w.OK(err)
	if who != (identity.Person{Email: email, Name: "Ann"}) {
		t.Errorf("got %+v", who)
	}
}
