package identity_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/identity"
)

var b64 = base64.RawURLEncoding

func encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b64.EncodeToString(raw)
}

type signing func(text []byte) []byte

// ours signs as the appliance does.
func (w *world) ours(text []byte) []byte {
	sig, err := w.gate.Sign(w.Ctx, w.key, text)
	w.OK(err)
	return sig
}

func forge(header, payload any, sign signing) string {
	text := encode(header) + "." + encode(payload)
	return text + "." + b64.EncodeToString(sign([]byte(text)))
}

func with(m map[string]any, key string, v any) map[string]any {
	m = maps.Clone(m)
	if m[key] = v; v == nil {
		delete(m, key)
	}
	return m
}

func mac(key []byte) signing {
	return func(text []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(text)
		return h.Sum(nil)
	}
}

// signed is a good token of a good agent, taken apart.
func (w *world) signed() (header, payload map[string]any, token string) {
	_, key := w.agent(func(a *identity.Agent) { a.Scopes = []string{"a/**"} })
	token = w.exchange(key).JWT
	return w.part(token, 0), w.part(token, 1), token
}

// refuses wants every token refused in the same words, and each refusal on
// record under nobody's name.
func (w *world) refuses(tokens map[string]string) {
	w.Helper()
	for name, token := range tokens {
		w.Logs("auth.failure refused invalid_token", func() {
			p, err := w.auth(token)
			if err == nil || err.Error() != identity.ErrToken.Error() || p.ID != (id.ID{}) || p.Org != (id.ID{}) {
				w.Errorf("%s: got %+v, %v", name, p, err)
			}
		})
	}
}

func TestJ1_ForgedTokens(t *testing.T) {
	w := newWorld(t)
	h, p, token := w.signed()
	if forge(h, p, w.ours) == "" || w.admits(forge(h, p, w.ours)).ID != w.admits(token).ID {
		t.Fatal("the forge itself does not work")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	w.OK(err)
	theirs := func(text []byte) []byte { return ed25519.Sign(private, text) }
	sum := sha256.Sum256(public)
	pub := w.PublicKey()
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})
	none := func([]byte) []byte { return nil }
	alg := func(a string) map[string]any { return with(h, "alg", a) }
	w.refuses(map[string]string{
		"none":                        forge(alg("none"), p, none),
		"None":                        forge(alg("None"), p, none),
		"NONE with our signature":     forge(alg("NONE"), p, w.ours),
		"none with our signature":     forge(alg("none"), p, w.ours),
		"no alg":                      forge(with(h, "alg", nil), p, w.ours),
		"HS256 under the public key":  forge(alg("HS256"), p, mac(pub)),
		"HS256 under its base64":      forge(alg("HS256"), p, mac([]byte(base64.StdEncoding.EncodeToString(pub)))),
		"HS256 under its PEM":         forge(alg("HS256"), p, mac(block)),
		"HS256 under nothing":         forge(alg("HS256"), p, mac(nil)),
		"HS512 with our signature":    forge(alg("HS512"), p, w.ours),
		"RS256 with our signature":    forge(alg("RS256"), p, w.ours),
		"ES256 with our signature":    forge(alg("ES256"), p, w.ours),
		"eddsa in small letters":      forge(alg("eddsa"), p, w.ours),
		"Ed25519, another name":       forge(alg("Ed25519"), p, w.ours),
		"another key":                 forge(h, p, theirs),
		"another key without kid":     forge(with(h, "kid", nil), p, theirs),
		"another key under its kid":   forge(with(h, "kid", hex.EncodeToString(sum[:16])), p, theirs),
		"another key, brought along":  forge(with(h, "jwk", map[string]string{"kty": "OKP", "crv": "Ed25519", "x": b64.EncodeToString(public)}), p, theirs),
		"wrong kid, right key":        forge(with(h, "kid", "0000"), p, w.ours),
		"empty kid, right key":        forge(with(h, "kid", ""), p, w.ours),
		"signed without the header":   encode(h) + "." + encode(p) + "." + b64.EncodeToString(w.ours([]byte(encode(p)))),
		"zero signature":              forge(h, p, func([]byte) []byte { return make([]byte, 64) }),
		"short signature":             forge(h, p, func(b []byte) []byte { return w.ours(b)[:63] }),
		"long signature":              forge(h, p, func(b []byte) []byte { return append(w.ours(b), 0) }),
		"identity point as signature": forge(h, p, func([]byte) []byte { return append([]byte{1}, make([]byte, 63)...) }),
	})
}

func TestJ1_MalformedTokens(t *testing.T) {
	w := newWorld(t)
	_, p, token := w.signed()
	parts := strings.Split(token, ".")
	sig := []byte(parts[2])
	sig[len(sig)-1]++ // the last character's unused bits
	stretched := strings.Join(parts[:2], ".") + "." + string(sig)
	tampered := func(key string, v any) string { return parts[0] + "." + encode(with(p, key, v)) + "." + parts[2] }
	w.refuses(map[string]string{
		"empty":              "",
		"dots":               "..",
		"two parts":          parts[0] + "." + parts[1],
		"four parts":         token + ".x",
		"no signature":       parts[0] + "." + parts[1] + ".",
		"padding":            token + "==",
		"trailing newline":   token + "\n",
		"inner newline":      token[:len(token)-9] + "\r\n" + token[len(token)-9:],
		"leading space":      " " + token,
		"inner space":        strings.Replace(token, ".", ". ", 1),
		"unused bits":        stretched,
		"bearer twice":       "Bearer " + token,
		"agent key":          identity.NewKey(identity.AgentKeyPrefix),
		"very long":          strings.Repeat("a", 1<<20),
		"NUL":                "\x00",
		"not UTF-8":          "\xff\xfe.\xff.\xff",
		"array payload":      forge(w.part(token, 0), []int{1}, w.ours),
		"text payload":       forge(w.part(token, 0), "x", w.ours),
		"null payload":       forge(w.part(token, 0), nil, w.ours),
		"tampered subject":   tampered("sub", "agent:"+id.New().String()),
		"tampered org":       tampered("org", id.New().String()),
		"tampered scopes":    tampered("scopes", []string{"**"}),
		"tampered expiry":    tampered("exp", clocktest.Noon.Add(1000*time.Hour).Unix()),
		"tampered intents":   tampered("intents_api_enabled", true),
		"tampered header":    encode(map[string]any{"alg": "EdDSA", "typ": "JWT", "kid": nil}) + "." + parts[1] + "." + parts[2],
		"payload reencoded":  parts[0] + "." + b64.EncodeToString([]byte(`{ }`)) + "." + parts[2],
		"parts of two":       parts[0] + "." + strings.Split(w.second(), ".")[1] + "." + parts[2],
		"signature of other": parts[0] + "." + parts[1] + "." + strings.Split(w.second(), ".")[2],
	})
	w.admits(token) // after all that
}

func (w *world) second() string {
	_, key := w.agent(nil)
	return w.exchange(key).JWT
}

func TestJ2_RequiredClaims(t *testing.T) {
	w := newWorld(t)
	h, p, _ := w.signed()
	who := strings.TrimPrefix(p["sub"].(string), "agent:")
	tokens := map[string]string{}
	add := func(name, claim string, v any) { tokens[name] = forge(h, with(p, claim, v), w.ours) }
	for _, c := range []string{"sub", "org", "exp", "iat", "jti"} {
		add("no "+c, c, nil)
		add("number as "+c+" or text", c, map[bool]any{true: "soon", false: 7}[c == "exp" || c == "iat"])
		add("list as "+c, c, []string{"x"})
	}
	add("empty jti", "jti", "")
	add("expired now", "exp", clocktest.Noon.Unix())
	add("expired", "exp", clocktest.Noon.Unix()-1)
	add("expired in 1960", "exp", -315619200)
	add("issued in the future", "iat", clocktest.Noon.Unix()+60)
	add("not before", "nbf", clocktest.Noon.Unix()+60)
	for _, sub := range []string{
		"", ":", who, "agent:", "agent", ":" + who, "agent: " + who, "Agent:" + who, "admin:" + who, "system:" + who,
		"agent:" + who + " ", "agent:" + who + ":x", "agent:{" + who + "}", "agent:urn:uuid:" + who,
		"agent:" + strings.ReplaceAll(who, "-", ""), "agent:x", "user:agent:" + who,
	} {
		add("subject "+sub, "sub", sub)
	}
	add("bad org", "org", "acme")
	add("nobody's org", "org", id.ID{}.String())
	add("another org", "org", id.New().String())
	add("an unknown agent", "sub", "agent:"+id.New().String())
	add("an agent as user", "sub", "user:"+who)
	add("a broken scope", "scopes", []string{"a//b"})
	add("an empty scope", "scopes", []string{""})
	add("a broken binding", "vault_ids", []string{"x"})
	// Those that are well signed and name someone are refused under that name.
	named := []string{"nobody's org", "another org", "an unknown agent", "an agent as user"}
	for _, name := range named {
		w.Logs("auth.failure refused invalid_token", func() {
			if p, err := w.auth(tokens[name]); err == nil || err.Error() != identity.ErrToken.Error() || p.ID != (id.ID{}) {
				t.Errorf("%s: got %+v, %v", name, p, err)
			}
		})
		delete(tokens, name)
	}
	w.refuses(tokens)
}

func TestJ2_ClaimsExactly(t *testing.T) {
	w := newWorld(t)
	user, _ := w.owner()
	tok, err := w.Login(w.Ctx, email, password, peer)
	w.OK(err)
	c := w.part(tok.JWT, 1)
	storetest.Equal(t, "a user's claims", slices.Sorted(maps.Keys(c)), []string{"exp", "iat", "jti", "org", "sub"})
	storetest.Equal(t, "subject", c["sub"], "user:"+user.ID.String())
	storetest.Equal(t, "org", c["org"], user.Org.String())

	v := id.New()
	for _, intents := range []bool{false, true} {
		a, key := w.agent(func(a *identity.Agent) {
			a.Scopes, a.VaultIDs, a.Intents = []string{"a/*", "b"}, []id.ID{v}, intents
		})
		c = w.part(w.exchange(key).JWT, 1)
		storetest.Equal(t, "an agent's claims", slices.Sorted(maps.Keys(c)),
			[]string{"exp", "iat", "intents_api_enabled", "jti", "org", "scopes", "sub", "vault_ids"})
		storetest.Equal(t, "subject", c["sub"], "agent:"+a.ID.String())
		storetest.Equal(t, "scopes", c["scopes"], []string{"a/*", "b"})
		storetest.Equal(t, "binding", c["vault_ids"], []string{v.String()})
		storetest.Equal(t, "intents", c["intents_api_enabled"], intents)
		storetest.Equal(t, "iat", int64(c["iat"].(float64)), clocktest.Noon.Unix())
		storetest.Equal(t, "exp", int64(c["exp"].(float64)), clocktest.Noon.Add(time.Hour).Unix())
	}
	// Empty lists are there, not null.
	_, key := w.agent(nil)
	token := w.exchange(key).JWT
	raw, err := b64.DecodeString(strings.Split(token, ".")[1])
	w.OK(err)
	for _, want := range []string{`"scopes":[]`, `"vault_ids":[]`, `"intents_api_enabled":false`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s lacks %s", raw, want)
		}
	}
	h := w.part(token, 0)
	storetest.Equal(t, "alg", h["alg"], "EdDSA")
	storetest.Equal(t, "typ", h["typ"], "JWT")
}

func TestJ1_PublicKeyVerifies(t *testing.T) {
	w := newWorld(t)
	_, _, token := w.signed()
	i := strings.LastIndex(token, ".")
	sig, err := b64.DecodeString(token[i+1:])
	w.OK(err)
	storetest.Equal(t, "key", len(w.PublicKey()), 32)
	if !ed25519.Verify(w.PublicKey(), []byte(token[:i]), sig) {
		t.Error("the published key does not verify a token")
	}
	kid, _ := w.part(token, 0)["kid"].(string)
	storetest.Equal(t, "by its id", w.PublicKeys()[kid], w.PublicKey())
}

// Each token has an id of its own: revoking one leaves the other.
func TestJ2_TokensAreDistinct(t *testing.T) {
	w := newWorld(t)
	_, key := w.agent(nil)
	first, second := w.admits(w.exchange(key).JWT), w.admits(w.exchange(key).JWT)
	if first.Token == second.Token {
		t.Error("two tokens have one id")
	}
}

func TestClock_BeforeTheEpoch(t *testing.T) {
	w := newWorld(t)
	for _, at := range []time.Time{
		time.Date(1960, 1, 1, 0, 0, 0, 500, time.UTC), time.Unix(0, 0), time.Unix(-1, 999_999_999), time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		w.Clock.Set(at)
		_, key := w.agent(nil)
		tok := w.exchange(key)
		if _, err := w.auth(tok.JWT); err != nil {
			t.Errorf("at %v: %v", at, err)
		}
		w.Clock.Set(at.Add(time.Hour))
		_, err := w.auth(tok.JWT)
		w.Is(err, identity.ErrToken)
		w.OK(w.ForgetRevoked(w.Ctx))
	}
}

// What a principal says of itself is what the token and the request said.
func TestAuthenticate_Principal(t *testing.T) {
	w := newWorld(t)
	user, key1 := w.owner()
	tok, err := w.Login(w.Ctx, email, password, peer)
	w.OK(err)
	p := w.admits(tok.JWT)
	if p.Kind != identity.KindUser || p.ID != user.ID || p.Org != user.Org || p.Role != identity.RoleOwner ||
		p.IP != peer.IP || p.RequestID != peer.Request || p.Token == "" || !p.TokenExpires.Equal(clocktest.Noon.Add(15*time.Minute)) {
		t.Errorf("by password: %+v", p)
	}
	p = w.admits(key1)
	if p.Kind != identity.KindUser || p.ID != user.ID || p.Role != identity.RoleOwner || p.IP != peer.IP || p.Token != "" {
		t.Errorf("by key: %+v", p)
	}
	a, key2 := w.agent(func(a *identity.Agent) { a.Scopes, a.Intents = []string{"x/*"}, true })
	p = w.admits(w.exchange(key2).JWT)
	if p.Kind != identity.KindAgent || p.ID != a.ID || p.Org != w.org || p.Role != "" || !p.Intents || p.IP != peer.IP {
		t.Errorf("agent: %+v", p)
	}
	storetest.Equal(t, "scopes", scopes(p), []string{"x/*"})
	// A role is looked up, not frozen.
	w.Commit(func(tx *store.Tx) error {
		u, _, err := tx.User(user.Org, user.ID)
		u.Role = identity.RoleMember
		if err != nil {
			return err
		}
		return tx.PutUser(u)
	})
	storetest.Equal(t, "role", w.admits(tok.JWT).Role, identity.RoleMember)
}
