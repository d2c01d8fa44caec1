//go:build cgo

package pkcs11

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"path/filepath"
	"strings"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// Doctor says, in words for the operator, what the library, the token and the
// PIN are good for: which tokens there are, which mechanisms they list, and
// whether those work, tried with session keys that leave nothing behind. It
// shows no secret. Its error is what stands in the way of running on this token.
//
// Like every use of the library it must be the only one in its process.
func Doctor(ctx context.Context, cfg Config, w io.Writer) error {
	d := &doctor{w: w}
	t, err := cfg.resolve()
	if err != nil {
		return d.stop("configuration", err)
	}
	d.say("library        %s", t.library)
	lib, err := load(t.library)
	if err != nil {
		return d.stop("loading the library", err)
	}
	return d.examine(ctx, lib, t)
}

// doctor writes the report.
type doctor struct {
	w io.Writer
}

func (d *doctor) say(format string, args ...any) { _, _ = fmt.Fprintf(d.w, format+"\n", args...) }

// stop reports what ends the examination.
func (d *doctor) stop(what string, err error) error {
	d.say("FAILED         %s: %s", what, explain(err))
	return err
}

// explain is an error with the call that failed. The report is for the one who
// runs the machine, so driver internals may be shown.
func explain(err error) string {
	text := err.Error()
	if f := fault.As(err); f != nil {
		text = f.Msg
		if f.Err != nil {
			text += " (" + f.Err.Error() + ")"
		}
	}
	return text
}

func (d *doctor) examine(ctx context.Context, lib cryptoki, t target) error {
	if err := initialize(lib); err != nil {
		return d.stop("C_Initialize", err)
	}
	all, problem, err := tokens(lib)
	if err != nil {
		_ = lib.Finalize()
		return d.stop("listing the slots", err)
	}
	d.say("tokens         %d", len(all))
	for _, s := range all {
		d.say("  %-12q serial %s, slot %d, %s %s, PIN %s", s.info.Label, trim(s.info.SerialNumber), s.id,
			trim(s.info.ManufacturerID), trim(s.info.Model), pinState(s.info.Flags))
	}
	if problem != nil {
		d.say("  one token cannot be read: %s", explain(problem))
	}
	if err := lib.Finalize(); err != nil {
		return d.stop("C_Finalize", failed("C_Finalize", err))
	}
	m, err := connect(lib, t)
	if err != nil {
		return d.stop("opening the token", err)
	}
	defer func() { _ = m.Close() }()
	return d.report(ctx, m)
}

// pinState is what the token says of its user PIN. Whether the configured one is
// right only a login tells.
func pinState(flags uint) string {
	for _, s := range []struct {
		flag uint
		text string
	}{
		{p11.CKF_USER_PIN_LOCKED, "LOCKED"}, {p11.CKF_USER_PIN_FINAL_TRY, "one try left"},
		{p11.CKF_USER_PIN_COUNT_LOW, "was entered wrongly before"}, {p11.CKF_USER_PIN_INITIALIZED, "set"},
	} {
		if flags&s.flag != 0 {
			return s.text
		}
	}
	return "not set"
}

// report goes through what the module needs of its token.
func (d *doctor) report(ctx context.Context, m *Module) error {
	d.say("token          %q in slot %d, logged in, %d sessions", m.at.info.Label, m.at.id, m.sessions)
	d.say("mechanisms")
	for _, x := range []struct {
		mech uint
		name string
	}{
		{p11.CKM_AES_KEY_GEN, "AES_KEY_GEN"}, {p11.CKM_AES_GCM, "AES_GCM"},
		{p11.CKM_AES_KEY_WRAP_PAD, "AES_KEY_WRAP_PAD"}, {p11.CKM_AES_KEY_WRAP, "AES_KEY_WRAP"},
		{p11.CKM_RSA_PKCS_KEY_PAIR_GEN, "RSA_PKCS_KEY_PAIR_GEN"}, {p11.CKM_RSA_PKCS_OAEP, "RSA_PKCS_OAEP"},
		{ckmEdwardsKeyPairGen, "EC_EDWARDS_KEY_PAIR_GEN"}, {ckmEdDSA, "EDDSA"},
		{p11.CKM_EC_KEY_PAIR_GEN, "EC_KEY_PAIR_GEN"}, {p11.CKM_ECDSA, "ECDSA"},
	} {
		d.say("  %-24s %s", x.name, map[bool]string{true: "yes", false: "no"}[m.mechs[x.mech]])
	}
	usable, err := d.trials(ctx, m)
	if err != nil {
		return err
	}
	if err := d.accounts(ctx, m); err != nil {
		return err
	}
	return d.root(ctx, m, usable)
}

// accounts says how many account keys there are: no backup has them.
func (d *doctor) accounts(ctx context.Context, m *Module) error {
	s, err := m.session(ctx)
	if err != nil {
		return d.stop("a session", err)
	}
	defer m.put(s)
	all, imported, err := m.countAccounts(s)
	if err != nil {
		return d.stop("the account keys", err)
	}
	d.say("account keys   %d in the token, %d of them imported", all, imported)
	return nil
}

// trials tries each ability, and reports whether one kind of root key works.
func (d *doctor) trials(ctx context.Context, m *Module) (usable bool, err error) {
	s, err := m.session(ctx)
	if err != nil {
		return false, d.stop("a session", err)
	}
	defer m.put(s)
	d.say("trials")
	aes := d.trial(m, "AES root key: wrap a vault key, use it", m.tryAES(s), "an RSA root key will be used instead, if that works")
	rsa := d.trial(m, "RSA root key: open what was wrapped", m.tryRSA(s), "fine as long as the AES root key works")
	d.trial(m, "Ed25519 key in the token: sign", m.tryEd25519(s), "signing keys will be wrapped by the token and used in memory")
	d.trial(m, "secp256k1 key in the token: sign", m.trySecp256k1(s), "the token cannot keep the keys of EVM accounts")
	d.trial(m, "data object: write, read, destroy", m.tryData(s), "without it a put-back copy of the data cannot be noticed")
	return aes || rsa, nil
}

// trial reports one of them. A trial that failed with a general error must not
// make the module look lost to the next.
func (d *doctor) trial(m *Module, what string, err error, otherwise string) bool {
	m.lost.Store(false)
	if err == nil {
		d.say("  %-40s works", what)
		return true
	}
	d.say("  %-40s does not work: %s", what, explain(err))
	d.say("  %-40s -> %s", "", otherwise)
	return false
}

// root says whether the appliance's root key is there.
func (d *doctor) root(ctx context.Context, m *Module, usable bool) error {
	err := m.Check(ctx)
	switch {
	case err == nil:
		d.say("root key       there and working, %s", m.Describe().Wrapping)
	case errors.Is(err, hsm.ErrNoRootKey) && usable:
		d.say("root key       none yet; setting the appliance up will make it")
		err = nil
	case errors.Is(err, hsm.ErrNoRootKey):
		return d.stop("abilities", hsm.ErrUnsupported.Detail(
			"the token can do neither AES key wrapping with AES-GCM nor RSA-OAEP; another token, or newer firmware, is needed"))
	default:
		return d.stop("the root key", err)
	}
	for _, note := range m.Describe().Notes {
		d.say("note           %s", note)
	}
	d.say("verdict        %s can be used", strings.TrimSpace(m.at.info.Label+" over "+filepath.Base(m.target.library)))
	return err
}

// tryRSA makes an RSA key for this session only and opens something with it.
func (m *Module) tryRSA(s p11.SessionHandle) error {
	if !m.mechs[p11.CKM_RSA_PKCS_KEY_PAIR_GEN] || !m.mechs[p11.CKM_RSA_PKCS_OAEP] {
		return hsm.ErrUnsupported
	}
	public, private, err := m.lib.GenerateKeyPair(s, mech(p11.CKM_RSA_PKCS_KEY_PAIR_GEN), []*p11.Attribute{
		attr(p11.CKA_TOKEN, false), attr(p11.CKA_ENCRYPT, true), attr(p11.CKA_MODULUS_BITS, rsaBits),
		attr(p11.CKA_PUBLIC_EXPONENT, big.NewInt(rsaExponent).Bytes()),
	}, []*p11.Attribute{
		attr(p11.CKA_TOKEN, false), attr(p11.CKA_SENSITIVE, true), attr(p11.CKA_EXTRACTABLE, false), attr(p11.CKA_DECRYPT, true),
	})
	if err != nil {
		return failed("C_GenerateKeyPair", err)
	}
	defer func() { _, _ = m.lib.DestroyObject(s, private), m.lib.DestroyObject(s, public) }()
	key := m.readRSA(s, public)
	if key == nil {
		return hsm.ErrUnsupported.Because(errors.New("C_GetAttributeValue: no modulus"))
	}
	_, err = (&rsaRing{m: m, root: private, public: key}).chooseOAEP(s, make([]byte, 32))
	return err
}

// tryEd25519 makes a signing key for this session only.
func (m *Module) tryEd25519(s p11.SessionHandle) error {
	if !m.signers.resident(m.mechs) {
		return hsm.ErrUnsupported
	}
	public, private, err := m.generateEd25519(s, newID(), false)
	if err != nil {
		return err
	}
	defer func() { _, _ = m.lib.DestroyObject(s, private), m.lib.DestroyObject(s, public) }()
	point, err := m.edPoint(s, public)
	if err != nil {
		return err
	}
	sig, err := m.signIn(s, private, []byte("trial"))
	if err == nil && !ed25519.Verify(point, []byte("trial"), sig) {
		return hsm.ErrUnsupported.Detail("the signature does not verify")
	}
	return err
}

// tryData writes a data object for this session only.
func (m *Module) tryData(s p11.SessionHandle) error {
	want := make([]byte, 256)
	_, _ = rand.Read(want) // never fails
	object, err := m.lib.CreateObject(s, []*p11.Attribute{
		attr(p11.CKA_CLASS, p11.CKO_DATA), attr(p11.CKA_TOKEN, false), attr(p11.CKA_APPLICATION, application),
		attr(p11.CKA_LABEL, "oneclawd-trial"), attr(p11.CKA_VALUE, want),
	})
	if err != nil {
		return failed("C_CreateObject", err)
	}
	defer func() { _ = m.lib.DestroyObject(s, object) }()
	got, err := m.lib.GetAttributeValue(s, object, []*p11.Attribute{attr(p11.CKA_VALUE, nil)})
	if err != nil {
		return failed("C_GetAttributeValue", err)
	}
	if len(got) != 1 || string(got[0].Value) != string(want) {
		return hsm.ErrUnsupported.Detail("the object does not hold what was written")
	}
	return nil
}
