package agents_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

var fingerprint = strings.Repeat("ab", 32)

func TestA1_Register(t *testing.T) {
	w := newWorld(t)
	v, err := w.vaults.Create(w.Ctx, w.alice, "v", "")
	w.OK(err)
	ends := clocktest.Noon.Add(time.Hour)
	spec := agents.Spec{
		Name: "deployer", Description: "deploys", Scopes: []string{"prod/**"}, VaultIDs: []id.ID{v.ID}, TokenTTL: 300, ExpiresAt: &ends,
		Intents: true, TxToAllowlist: []string{"0x70997970c51812dc3a010c7d01b50e0d17dc79c8"}, TxMaxValue: "1.5", TxDailyLimit: "3", TxChains: []string{"base"},
		ShroudEnabled: true, ShroudConfig: json.RawMessage(`{"strictness":"x"}`),
	}
	var a identity.Agent
	var key string
	e := w.Logs("vault.create success; policy.create success; agent.register success", func() { a, key = w.register(spec) })[2]
	if a.ID.IsZero() || a.Org != w.org || !a.Active || a.CreatedBy != w.alice.ID || !a.CreatedAt.Equal(clocktest.Noon) || a.AuthMethod != identity.AuthAPIKey {
		t.Errorf("got %+v", a)
	}
	storetest.Equal(t, "event", e.Resource.Type+" "+e.Resource.ID, "agent "+a.ID.String())
	storetest.Equal(t, "stored", w.stored(a.ID), a)
	if a.Name != "deployer" || a.Description != "deploys" || a.TokenTTL != 300 || !a.ExpiresAt.Equal(ends) || !a.Intents || !a.ShroudEnabled ||
		a.TxMaxValue != "1.5" || a.TxDailyLimit != "3" || string(a.ShroudConfig) != `{"strictness":"x"}` || a.TxChains[0] != "base" || a.TxToAllowlist[0] != spec.TxToAllowlist[0] {
		t.Errorf("got %+v", a)
	}
	if len(key) != 47 || !strings.HasPrefix(key, "ocv_") {
		t.Errorf("key %q", key)
	}
	p := w.login(key)
	storetest.Equal(t, "who", p.ID, a.ID)
	storetest.Equal(t, "bound", p.VaultIDs, []id.ID{v.ID})
}

func TestA1_AuthMethods(t *testing.T) {
	for _, c := range []struct {
		name string
		spec agents.Spec
		key  bool
		want error
	}{
		{"default", agents.Spec{}, true, nil},
		{"api_key", agents.Spec{AuthMethod: "api_key"}, true, nil},
		{"mtls", agents.Spec{AuthMethod: "mtls", CertFingerprint: fingerprint}, false, nil},
		{"mtls with colons and capitals", agents.Spec{AuthMethod: "mtls", CertFingerprint: strings.TrimSuffix(strings.Repeat("AB:", 32), ":")}, false, nil},
		{"mtls without fingerprint", agents.Spec{AuthMethod: "mtls"}, false, agents.ErrAuthMethod},
		{"mtls with a SHA-1", agents.Spec{AuthMethod: "mtls", CertFingerprint: strings.Repeat("ab", 20)}, false, agents.ErrFingerprint},
		{"mtls with no hex", agents.Spec{AuthMethod: "mtls", CertFingerprint: strings.Repeat("xy", 32)}, false, agents.ErrFingerprint},
		{"oidc", agents.Spec{AuthMethod: "oidc_client_credentials", OIDCIssuer: "https://i", OIDCClientID: "c"}, false, nil},
		{"oidc without issuer", agents.Spec{AuthMethod: "oidc_client_credentials", OIDCClientID: "c"}, false, agents.ErrAuthMethod},
		{"oidc without client", agents.Spec{AuthMethod: "oidc_client_credentials", OIDCIssuer: "https://i"}, false, agents.ErrAuthMethod},
		{"unknown", agents.Spec{AuthMethod: "password"}, false, agents.ErrAuthMethod},
		{"other case", agents.Spec{AuthMethod: "API_KEY"}, false, agents.ErrAuthMethod},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t) // a fingerprint is one agent's
			c.spec.Name = c.name
			a, key, err := w.Register(w.Ctx, w.alice, c.spec)
			w.Is(err, c.want)
			storetest.Equal(t, "key", key != "", c.key)
			if err == nil && (a.SSHPublicKey == "" || a.ECDHPublicKey == "") {
				t.Error("no identity keys") // every agent gets them
			}
			if err == nil && a.AuthMethod == identity.AuthMTLS {
				storetest.Equal(t, "fingerprint", a.CertFingerprint, fingerprint)
			}
		})
	}
}

func TestA1_Limits(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		spec agents.Spec
		want error
	}{
		{agents.Spec{Name: ""}, agents.ErrName},
		{agents.Spec{Name: strings.Repeat("n", 256)}, agents.ErrName},
		{agents.Spec{Name: "a\nb"}, agents.ErrName},
		{agents.Spec{Name: "  "}, agents.ErrName},
		{agents.Spec{Name: strings.Repeat("n", 255), Description: strings.Repeat("d", 4096)}, nil},
		{agents.Spec{Name: "x", Description: strings.Repeat("d", 4097)}, agents.ErrDescription},
		{agents.Spec{Name: "x", Scopes: slices.Repeat([]string{"a"}, 100)}, nil},
		{agents.Spec{Name: "x", Scopes: slices.Repeat([]string{"a"}, 101)}, agents.ErrLists},
		{agents.Spec{Name: "x", TxChains: []string{strings.Repeat("c", 513)}}, agents.ErrLists},
		{agents.Spec{Name: "x", VaultIDs: make([]id.ID, 101)}, agents.ErrLists},
		{agents.Spec{Name: "x", TokenTTL: -1}, agents.ErrTTL},
		{agents.Spec{Name: "x", TokenTTL: 30 * 86400}, nil},
		{agents.Spec{Name: "x", TokenTTL: 30*86400 + 1}, agents.ErrTTL},
		{agents.Spec{Name: "x", TokenTTL: 1 << 62}, agents.ErrTTL}, // wraps when made a Duration
		{agents.Spec{Name: "x", ExpiresAt: &clocktest.Noon}, agents.ErrExpiryPast},
		{agents.Spec{Name: "x", ExpiresAt: ptr(clocktest.Noon.Add(1))}, nil},
		{agents.Spec{Name: "x", ShroudConfig: json.RawMessage(`[]`)}, agents.ErrConfig},
		{agents.Spec{Name: "x", ShroudConfig: json.RawMessage(`{"a":`)}, agents.ErrConfig},
		{agents.Spec{Name: "x", ShroudConfig: json.RawMessage(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`)}, agents.ErrConfig},
	} {
		_, _, err := w.Register(w.Ctx, w.alice, c.spec)
		if c.want == nil && err != nil || c.want != nil && err == nil {
			t.Errorf("%.80v: got %v, want %v", c.spec, err, c.want)
		} else {
			w.Is(err, c.want)
		}
	}
}

// A registration that is refused leaves nothing: no agent, no key, no vault.
func TestA1_RefusedLeavesNothing(t *testing.T) {
	w := newWorld(t)
	foreign, err := w.vaults.Create(w.Ctx, w.user(id.New(), identity.RoleOwner), "foreign", "")
	w.OK(err)
	bot := w.alice
	bot.Kind, bot.Role = identity.KindAgent, ""
	for name, c := range map[string]struct {
		p      identity.Principal
		vaults []id.ID
		want   error
		log    string
	}{
		"unknown vault":              {w.alice, []id.ID{id.New()}, agents.ErrVaults, "agent.register refused unknown_vault"},
		"another organisation's":     {w.alice, []id.ID{foreign.ID}, agents.ErrVaults, "agent.register refused unknown_vault"},
		"an agent registers another": {bot, nil, identity.ErrUsersOnly, "agent.register refused users_only"},
	} {
		t.Run(name, func(t *testing.T) {
			w.TB = t
			w.unchanged(func() {
				w.Logs(c.log, func() {
					_, key, err := w.Register(w.Ctx, c.p, agents.Spec{Name: "x", VaultIDs: c.vaults})
					w.Is(err, c.want)
					storetest.Equal(t, "key", key, "")
				})
			})
		})
	}
}

func TestA2_A3_IdentityKeys(t *testing.T) {
	w := newWorld(t)
	a, key := w.register(agents.Spec{})
	vs := w.keysVaults()
	storetest.Equal(t, "vaults", len(vs), 1)
	private := func(kind string) (vault.Secret, []byte) {
		path, err := vault.ParseSecretPath("agents/" + a.ID.String() + "/" + kind + "/private_key")
		w.OK(err)
		sec, text, err := w.vaults.Read(w.Ctx, w.alice, vs[0].ID, path) // who made the vault
		w.OK(err)
		storetest.Equal(t, kind+" length", text.Len(), 44)
		raw, err := base64.StdEncoding.DecodeString(string(text.Reveal()))
		w.OK(err)
		storetest.Equal(t, kind+" bytes", len(raw), 32)
		return sec, raw
	}
	sec, seed := private("ssh")
	storetest.Equal(t, "public length", len(a.SSHPublicKey), 44)
	storetest.Equal(t, "public", a.SSHPublicKey, base64.StdEncoding.EncodeToString(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)))
	storetest.Equal(t, "type", sec.Latest.Type, vault.TypeGeneric) // so that intents agents can be given their own
	storetest.Equal(t, "version", sec.Latest.Number, 1)

	_, scalar := private("ecdh")
	priv, err := ecdh.P256().NewPrivateKey(scalar)
	w.OK(err)
	point, err := base64.StdEncoding.DecodeString(a.ECDHPublicKey)
	w.OK(err)
	if len(a.ECDHPublicKey) != 88 || len(point) != 65 || point[0] != 4 || !bytes.Equal(point, priv.PublicKey().Bytes()) {
		t.Errorf("got %q", a.ECDHPublicKey)
	}

	// The agent itself has no right to them, until a policy says so.
	bot := w.login(key)
	_, _, err = w.vaults.Read(w.Ctx, bot, vs[0].ID, sec.Path)
	w.Is(err, policy.ErrNoScopes)
	_, err = w.vaults.Vault(w.Ctx, bot, vs[0].ID)
	w.Is(err, vault.ErrDenied)
	list, err := w.vaults.Vaults(w.Ctx, bot)
	w.OK(err)
	storetest.Equal(t, "listed for the agent", len(list), 0)
	pattern, err := policy.ParsePattern("agents/" + a.ID.String() + "/**")
	w.OK(err)
	_, err = w.vaults.CreatePolicy(w.Ctx, w.owner, vs[0].ID, vault.Grant{
		Pattern: pattern, Principal: bot.Policy(), Permissions: []policy.Permission{policy.Read},
	})
	w.OK(err)
	_, _, err = w.vaults.Read(w.Ctx, w.login(key), vs[0].ID, sec.Path)
	w.OK(err)
}

// Two agents share the vault and nothing else.
func TestA3_OneVault(t *testing.T) {
	w := newWorld(t)
	a, _ := w.register(agents.Spec{})
	b, _ := w.register(agents.Spec{})
	if a.SSHPublicKey == b.SSHPublicKey || a.ECDHPublicKey == b.ECDHPublicKey {
		t.Error("two agents share a key")
	}
	vs := w.keysVaults()
	storetest.Equal(t, "vaults", len(vs), 1)
	list, err := w.vaults.List(w.Ctx, w.alice, vs[0].ID, "")
	w.OK(err)
	storetest.Equal(t, "secrets", len(list), 4)
	// Another organisation has its own.
	far := w.user(id.New(), identity.RoleOwner)
	_, _, err = w.Register(w.Ctx, far, agents.Spec{Name: "x"})
	w.OK(err)
	theirs, err := w.vaults.Vaults(w.Ctx, far)
	w.OK(err)
	if len(theirs) != 1 || theirs[0].Name != vault.AgentKeysName || theirs[0].ID == vs[0].ID {
		t.Errorf("got %+v", theirs)
	}
	storetest.Equal(t, "still one here", len(w.keysVaults()), 1)
}

// publicOf is the published form of the public key that belongs to a stored
// private one.
func publicOf(w *world, text []byte) string {
	w.Helper()
	seed, err := base64.StdEncoding.DecodeString(string(text))
	w.OK(err)
	return base64.StdEncoding.EncodeToString(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
}

// Whoever registered an agent can read its keys, whoever else has registered
// one before; and nobody else can.
func TestA3_ReadableByItsCreatorOnly(t *testing.T) {
	w := newWorld(t)
	bob := w.user(w.org, identity.RoleMember)
	first, _ := w.register(agents.Spec{}) // by alice, who so made the vault
	second, _, err := w.Register(w.Ctx, bob, agents.Spec{Name: "bob's"})
	w.OK(err)
	keys := w.keysVaults()[0].ID
	for _, c := range []struct {
		name string
		p    identity.Principal
		of   id.ID
		may  bool
	}{
		{"alice, her own", w.alice, first.ID, true},
		{"bob, his own", bob, second.ID, true},
		{"alice, bob's", w.alice, second.ID, false},
		{"bob, alice's", bob, first.ID, false},
		{"the owner, alice's", w.owner, first.ID, false},
	} {
		path, err := vault.ParseSecretPath("agents/" + c.of.String() + "/ssh/private_key")
		w.OK(err)
		if _, _, err := w.vaults.Read(w.Ctx, c.p, keys, path); (err == nil) != c.may {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// A limit that could not be read when it is needed is refused when it is set.
func TestGuardrailsMakeSense(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		spec agents.Spec
		want error
	}{
		{agents.Spec{TxMaxValue: "0.5", TxDailyLimit: "10", TxToAllowlist: []string{"0x70997970C51812dc3A010C7d01b50e0d17dc79C8"}}, nil},
		{agents.Spec{TxMaxValue: "-1"}, agents.ErrTxLimit},
		{agents.Spec{TxMaxValue: "1e2"}, agents.ErrTxLimit},
		{agents.Spec{TxDailyLimit: "0x10"}, agents.ErrTxLimit},
		{agents.Spec{TxDailyLimit: "0.1234567890123456789"}, agents.ErrTxLimit},
		{agents.Spec{TxToAllowlist: []string{"0xAbC"}}, agents.ErrTxAllowlist},
		{agents.Spec{TxToAllowlist: []string{"0x70997970C51812dc3A010C7d01b50e0d17dc79c8"}}, agents.ErrTxAllowlist}, // its checksum is wrong
	} {
		c.spec.Name = "payer"
		_, _, err := w.Register(w.Ctx, w.alice, c.spec)
		w.Is(err, c.want)
	}
}
