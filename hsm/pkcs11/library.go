//go:build cgo

package pkcs11

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
)

// cryptoki is the part of PKCS#11 that is used, as *p11.Ctx offers it. Tests put
// a failing token in its place.
type cryptoki interface {
	Initialize(...p11.InitializeOption) error
	Finalize() error
	GetSlotList(tokenPresent bool) ([]uint, error)
	GetTokenInfo(slot uint) (p11.TokenInfo, error)
	GetMechanismList(slot uint) ([]*p11.Mechanism, error)
	GetMechanismInfo(slot uint, m []*p11.Mechanism) (p11.MechanismInfo, error)
	OpenSession(slot uint, flags uint) (p11.SessionHandle, error)
	CloseSession(p11.SessionHandle) error
	Login(s p11.SessionHandle, userType uint, pin string) error
	CreateObject(p11.SessionHandle, []*p11.Attribute) (p11.ObjectHandle, error)
	DestroyObject(p11.SessionHandle, p11.ObjectHandle) error
	GetAttributeValue(p11.SessionHandle, p11.ObjectHandle, []*p11.Attribute) ([]*p11.Attribute, error)
	FindObjectsInit(p11.SessionHandle, []*p11.Attribute) error
	FindObjects(s p11.SessionHandle, max int) ([]p11.ObjectHandle, bool, error)
	FindObjectsFinal(p11.SessionHandle) error
	GenerateKey(p11.SessionHandle, []*p11.Mechanism, []*p11.Attribute) (p11.ObjectHandle, error)
	GenerateKeyPair(s p11.SessionHandle, m []*p11.Mechanism, public, private []*p11.Attribute) (p11.ObjectHandle, p11.ObjectHandle, error)
	WrapKey(s p11.SessionHandle, m []*p11.Mechanism, wrapping, key p11.ObjectHandle) ([]byte, error)
	UnwrapKey(p11.SessionHandle, []*p11.Mechanism, p11.ObjectHandle, []byte, []*p11.Attribute) (p11.ObjectHandle, error)
	EncryptInit(p11.SessionHandle, []*p11.Mechanism, p11.ObjectHandle) error
	Encrypt(p11.SessionHandle, []byte) ([]byte, error)
	DecryptInit(p11.SessionHandle, []*p11.Mechanism, p11.ObjectHandle) error
	Decrypt(p11.SessionHandle, []byte) ([]byte, error)
	SignInit(p11.SessionHandle, []*p11.Mechanism, p11.ObjectHandle) error
	Sign(p11.SessionHandle, []byte) ([]byte, error)
}

var _ cryptoki = (*p11.Ctx)(nil)

// load loads the library into this process. It stays loaded: unloading drivers
// that have started threads crashes.
func load(path string) (cryptoki, error) {
	lib := p11.New(path)
	if lib == nil {
		return nil, hsm.ErrUnavailable.Detail("%s cannot be loaded as a PKCS#11 library; check that it is for this machine's "+
			"architecture and that ldd finds all it depends on", filepath.Base(path))
	}
	return lib, nil
}

// initialize calls C_Initialize, which is once per process.
func initialize(lib cryptoki) error {
	err := lib.Initialize()
	if isRV(err, p11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		return hsm.ErrUnavailable.Detail("this process already uses the PKCS#11 library; close the other module first").
			Because(&callError{"C_Initialize", p11.CKR_CRYPTOKI_ALREADY_INITIALIZED})
	}
	return failed("C_Initialize", err)
}

// slot is a slot with a token in it.
type slot struct {
	id   uint
	info p11.TokenInfo
}

// tokens lists the initialised tokens. One that cannot be read is left out and
// remembered in problem, so that a broken neighbour does not stop us.
func tokens(lib cryptoki) (found []slot, problem, err error) {
	ids, err := lib.GetSlotList(true)
	if err != nil {
		return nil, nil, failed("C_GetSlotList", err)
	}
	for _, id := range ids {
		info, err := lib.GetTokenInfo(id)
		if err != nil {
			problem = failed("C_GetTokenInfo", err)
			continue
		}
		if info.Flags&p11.CKF_TOKEN_INITIALIZED != 0 {
			info.Label = trim(info.Label)
			found = append(found, slot{id, info})
		}
	}
	return found, problem, nil
}

// trim removes the padding that some drivers make of NULs instead of spaces.
func trim(s string) string { return strings.TrimRight(s, " \x00") }

// choose finds the one token that u names.
func choose(lib cryptoki, u URI) (slot, error) {
	all, problem, err := tokens(lib)
	if err != nil {
		return slot{}, err
	}
	var match []slot
	for _, s := range all {
		if u.matches(s) {
			match = append(match, s)
		}
	}
	switch len(match) {
	case 1:
		return match[0], nil
	case 0:
		// Not a reason to think the token is another: a driver whose device was
		// unplugged lists no token either.
		return slot{}, hsm.ErrUnavailable.Detail("no token matches %s; the library shows %s", u.describe(), labels(all)).Because(problem)
	}
	return slot{}, hsm.ErrUnavailable.Detail("%d tokens match %s; name the one to use by its serial number in the URI: %s",
		len(match), u.describe(), labels(match))
}

func (u URI) matches(s slot) bool {
	is := func(want, got string) bool { return want == "" || want == trim(got) }
	return is(u.Token, s.info.Label) && is(u.Serial, s.info.SerialNumber) && is(u.Model, s.info.Model) &&
		is(u.Manufacturer, s.info.ManufacturerID) && (u.SlotID == nil || *u.SlotID == s.id)
}

func (u URI) describe() string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, fmt.Sprintf("%s %q", name, value))
		}
	}
	add("label", u.Token)
	add("serial", u.Serial)
	add("model", u.Model)
	add("manufacturer", u.Manufacturer)
	if u.SlotID != nil {
		parts = append(parts, fmt.Sprintf("slot-id %d", *u.SlotID))
	}
	if len(parts) == 0 {
		return "(any token)"
	}
	return strings.Join(parts, ", ")
}

func labels(all []slot) string {
	if len(all) == 0 {
		return "no initialised token"
	}
	var out []string
	for _, s := range all {
		out = append(out, fmt.Sprintf("%q (serial %s, slot %d)", s.info.Label, trim(s.info.SerialNumber), s.id))
	}
	return strings.Join(out, ", ")
}

// login presents the PIN, once. A token that says only one try is left is not
// asked: it would lock for good if the configured PIN is wrong, and who runs
// the machine can find out with the vendor's tool.
func login(lib cryptoki, session p11.SessionHandle, at slot, pin []byte) error {
	flags := at.info.Flags
	switch {
	case flags&p11.CKF_LOGIN_REQUIRED == 0:
		return nil
	case flags&p11.CKF_USER_PIN_LOCKED != 0:
		return sentinelOf(p11.CKR_PIN_LOCKED)
	case flags&p11.CKF_USER_PIN_FINAL_TRY != 0:
		return hsm.ErrWrongPIN.Detail("the token would lock after one more wrong PIN, so it was not tried; log in once with the vendor's tool, then start again")
	case len(pin) == 0 && flags&p11.CKF_PROTECTED_AUTHENTICATION_PATH == 0:
		return hsm.ErrWrongPIN.Detail("the token needs a PIN and none is configured")
	}
	err := lib.Login(session, p11.CKU_USER, string(pin))
	if isRV(err, p11.CKR_USER_ALREADY_LOGGED_IN) {
		return nil
	}
	return failed("C_Login", err)
}

// mechanisms is the set of mechanisms the token lists.
func mechanisms(lib cryptoki, slot uint) (map[uint]bool, error) {
	list, err := lib.GetMechanismList(slot)
	if err != nil {
		return nil, failed("C_GetMechanismList", err)
	}
	set := make(map[uint]bool, len(list))
	for _, m := range list {
		set[m.Mechanism] = true
	}
	return set, nil
}

// openSessions opens up to want sessions, as many as the token gives, but one.
func openSessions(lib cryptoki, at slot, want int) ([]p11.SessionHandle, error) {
	// 0 and all ones mean that the token does not say.
	for _, limit := range []uint{at.info.MaxSessionCount, at.info.MaxRwSessionCount} {
		if limit > 0 && limit < 1<<16 {
			want = min(want, int(limit))
		}
	}
	var sessions []p11.SessionHandle
	for range want {
		s, err := lib.OpenSession(at.id, p11.CKF_SERIAL_SESSION|p11.CKF_RW_SESSION)
		if len(sessions) > 0 && isRV(err, p11.CKR_SESSION_COUNT) {
			break // others use the token as well; fewer will do
		}
		if err != nil {
			return sessions, failed("C_OpenSession", err)
		}
		sessions = append(sessions, s)
	}
	if len(sessions) == 0 {
		return nil, errors.New("pkcs11: the token allows no session")
	}
	return sessions, nil
}
