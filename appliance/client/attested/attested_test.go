package attested_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/attest/attesttest"
	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/appliance/client/attested"
)

const image = 0x1a // what the machine measured at launch, 48 times

// appliance is one on a machine that a vendor certified, as far as a client sees it.
type appliance struct {
	*httptest.Server
	vendor *attesttest.Vendor
	source *attest.Source
	token  ed25519.PublicKey

	shown     atomic.Pointer[tls.Certificate] // by the listener
	said      atomic.Pointer[tls.Certificate] // in evidence; nil: what is shown
	nonce     atomic.Pointer[[32]byte]        // in evidence; nil: what was asked
	unlike    atomic.Bool                     // not attested
	appraised atomic.Int32                    // evidence that was given
	requests  atomic.Int32                    // everything else, but for the key of tokens
}

func newAppliance(t *testing.T) *appliance {
	t.Helper()
	a := &appliance{vendor: attesttest.NewVendor(t, "Milan")}
	machine := attesttest.NewMachine(t, a.vendor, 0xc1, image)
	var err error
	if a.source, err = attest.NewSource(attest.Config{TSM: t.TempDir() + "/none", Open: machine.Device}); err != nil {
		t.Fatal(err)
	}
	if a.token, _, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	a.shown.Store(certificate(t))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/attestation", a.attestation)
	mux.HandleFunc("GET /v1/auth/jwt-public-key", func(w http.ResponseWriter, _ *http.Request) {
		write(w, api.JWTPublicKeyResponse{Alg: "EdDSA", PublicKeyBase64: base64.StdEncoding.EncodeToString(a.token)})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		a.requests.Add(1)
		write(w, struct{}{})
	})
	a.Server = httptest.NewUnstartedServer(mux)
	a.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*a.shown.Load()}, ClientAuth: tls.RequestClientCert}, nil
	}}
	a.Config.ErrorLog = nil
	a.StartTLS()
	t.Cleanup(a.Close)
	return a
}

func (a *appliance) attestation(w http.ResponseWriter, r *http.Request) {
	a.appraised.Add(1)
	if r.Header.Get("Authorization") != "" || len(r.TLS.PeerCertificates) > 0 {
		http.Error(w, "credentials came before the appliance was accepted", http.StatusBadRequest)
		return
	}
	if a.unlike.Load() {
		write(w, api.AttestationResponse{Reason: "it has no such machine"})
		return
	}
	var b attest.Binding
	_, _ = hex.Decode(b.Nonce[:], []byte(r.URL.Query().Get("nonce")))
	if n := a.nonce.Load(); n != nil {
		b.Nonce = *n
	}
	cert := a.said.Load()
	if cert == nil {
		cert = a.shown.Load()
	}
	b.TLSKey, _ = attest.HashKey(cert.Leaf.PublicKey)
	b.JWTKey, _ = attest.HashKey(a.token)
	quote, err := a.source.Quote(r.Context(), b)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	evidence, _ := json.Marshal(quote)
	write(w, api.AttestationResponse{Attested: true, Evidence: evidence})
}

func write(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// certificate is one that no CA vouches for.
func certificate(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// accept is a policy for an image on the vendor's machines.
func (a *appliance) accept(t *testing.T, image byte) *attest.Policy {
	t.Helper()
	text := fmt.Appendf(nil, "format = 1\nproducts = [\"Milan\"]\nmeasurements = [%q]\nvmpl = 0\n[tcb]\nbootloader = 4\ntee = 1\nsnp = 22\nmicrocode = 213\n"+
		"[guest]\nallow_smt = true\n[revocation]\ncrls = [\"milan.crl\"]\n[roots]\nMilan = \"milan.pem\"\n", strings.Repeat(hex.EncodeToString([]byte{image}), 48))
	policy, err := attest.ParsePolicy(text, fstest.MapFS{
		"milan.pem": {Data: a.vendor.Roots()},
		"milan.crl": {Data: a.vendor.CRL(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), false)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// open is a client whose every connection ends in what the policy accepts.
func (a *appliance) open(t *testing.T, o attested.Options) *client.Client {
	t.Helper()
	through, err := attested.New(a.URL, o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(client.Options{BaseURL: a.URL, Token: "canary", HTTP: &http.Client{Transport: through}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t *testing.T, c *client.Client) error {
	_, err := c.PutSecret(t.Context(), "v", "p", api.PutSecretRequest{Value: "canary"})
	return err
}

func (a *appliance) expect(t *testing.T, appraised, requests int32) {
	t.Helper()
	if got := a.appraised.Load(); got != appraised {
		t.Errorf("appraised %d times, want %d", got, appraised)
	}
	if got := a.requests.Load(); got != requests {
		t.Errorf("%d requests came, want %d", got, requests)
	}
}

func TestAccepted(t *testing.T) {
	a := newAppliance(t)
	c := a.open(t, attested.Options{Policy: a.accept(t, image), Certificate: certificate(t)})
	a.Config.SetKeepAlivesEnabled(false) // each connection has to show the same key
	for range 2 {
		if err := put(t, c); err != nil {
			t.Fatal(err)
		}
	}
	a.expect(t, 1, 2)
	found, err := attested.Appraise(t.Context(), a.URL, a.accept(t, image))
	if err != nil || found.Product != "Milan" || found.Measurement[0] != image {
		t.Errorf("found %+v, %v", found, err)
	}
}

// TestRefused: of no request a byte is sent.
func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		appliance func(*testing.T, *appliance)
		image     byte
		say       string
	}{
		"another image":  {func(*testing.T, *appliance) {}, image + 1, "measure"},
		"not attested":   {func(_ *testing.T, a *appliance) { a.unlike.Store(true) }, image, "not attested: it has no such machine"},
		"replayed nonce": {func(_ *testing.T, a *appliance) { a.nonce.Store(&[32]byte{1}) }, image, "nonce"},
		"somebody between": {func(t *testing.T, a *appliance) {
			a.said.Store(a.shown.Load())
			a.shown.Store(certificate(t))
		}, image, "key"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAppliance(t)
			tc.appliance(t, a)
			err := put(t, a.open(t, attested.Options{Policy: a.accept(t, tc.image)}))
			if !errors.Is(err, attested.ErrRefused) || !strings.Contains(err.Error(), tc.say) || strings.Contains(err.Error(), "canary") {
				t.Errorf("refused with %v", err)
			}
			a.expect(t, 1, 0)
		})
	}
}

func TestPlainHTTPIsRefused(t *testing.T) {
	a := newAppliance(t)
	policy := a.accept(t, image)
	plain := strings.Replace(a.URL, "https://", "http://", 1)
	if _, err := attested.New(plain, attested.Options{Policy: policy}); !errors.Is(err, attested.ErrRefused) {
		t.Errorf("New: %v", err)
	}
	if _, err := attested.Appraise(t.Context(), plain, policy); !errors.Is(err, attested.ErrRefused) {
		t.Errorf("Appraise: %v", err)
	}
	through, err := attested.New(a.URL, attested.Options{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{plain, "https://127.0.0.1:1"} {
		c, err := client.New(client.Options{BaseURL: other, Token: "canary", HTTP: &http.Client{Transport: through}})
		if err != nil {
			t.Fatal(err)
		}
		if err := put(t, c); !errors.Is(err, attested.ErrRefused) {
			t.Errorf("%s: %v", other, err)
		}
	}
	a.expect(t, 0, 0)
}

func TestNewRefusesNonsense(t *testing.T) {
	if _, err := attested.New("https://x", attested.Options{}); err == nil {
		t.Error("without a policy")
	}
	for _, base := range []string{"", "vault.internal:8200", "https://", ":"} {
		if _, err := attested.New(base, attested.Options{Policy: new(attest.Policy)}); err == nil {
			t.Errorf("base URL %q", base)
		}
	}
}

// TestKeyChanges: a new key that is attested is appraised, and the request goes on; one
// that is not gets nothing.
func TestKeyChanges(t *testing.T) {
	a := newAppliance(t)
	a.Config.SetKeepAlivesEnabled(false)
	c := a.open(t, attested.Options{Policy: a.accept(t, image)})
	if err := put(t, c); err != nil {
		t.Fatal(err)
	}
	a.shown.Store(certificate(t))
	if err := put(t, c); err != nil {
		t.Fatalf("the appliance got a new key: %v", err)
	}
	a.expect(t, 2, 2)

	a.said.Store(a.shown.Load())
	a.shown.Store(certificate(t))
	if err := put(t, c); !errors.Is(err, attested.ErrRefused) {
		t.Errorf("somebody came between: %v", err)
	}
	a.expect(t, 3, 2)
}

// TestAppraisalsEnd: however long a connection lasts.
func TestAppraisalsEnd(t *testing.T) {
	a := newAppliance(t)
	c := a.open(t, attested.Options{Policy: a.accept(t, image), Every: time.Nanosecond})
	for range 2 {
		if err := put(t, c); err != nil {
			t.Fatal(err)
		}
	}
	a.expect(t, 2, 2)
	a.unlike.Store(true)
	if err := put(t, c); !errors.Is(err, attested.ErrRefused) {
		t.Errorf("not attested any more: %v", err)
	}
	a.expect(t, 3, 2)
}

// TestOneAppraisalForAll: requests at the same time wait for one.
func TestOneAppraisalForAll(t *testing.T) {
	a := newAppliance(t)
	c := a.open(t, attested.Options{Policy: a.accept(t, image)})
	done := make(chan error)
	for range 8 {
		go func() { done <- put(t, c) }()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	a.expect(t, 1, 8)
}
