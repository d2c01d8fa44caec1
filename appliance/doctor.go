package appliance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/appliance/tlsconf"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	Fine    Level = "ok"
	Warning Level = "warning" // it works, and an operator should know
	Trouble Level = "trouble" // it does not work, or will not soon
)

// Finding is what a check found, in words for the operator.
type Finding struct {
	Level Level  `json:"level"`
	Area  string `json:"area"`
	What  string `json:"what"`
	Do    string `json:"do,omitempty"` // to mend it
}

// Figures at which the doctor speaks up.
const (
	littleSpace   = 1 << 30 // bytes free in the data folder
	expiresSoon   = 14 * 24 * time.Hour
	backupOverdue = 2 // of the interval
)

// Examine looks at an appliance from outside, served or not, and changes
// nothing. While no daemon holds the token it opens it once with the PIN that
// the configuration names.
func Examine(ctx context.Context, cfg Config) []Finding {
	x := &examination{cfg: cfg}
	if err := cfg.Check(); err != nil {
		x.trouble("configuration", words(err), "correct it; oneclawd config defaults explains every setting")
		return x.found
	}
	x.fine("configuration", "it can work")
	if !x.dataFolder() {
		return x.found
	}
	s, err := operator.NewClient(cfg.OperatorSocket()).Status(ctx)
	running := err == nil
	if running {
		x.daemon(s)
	} else {
		x.warn("daemon", "none answers on "+cfg.OperatorSocket(), "start it with oneclawd serve; or ask as the user it runs as, or as root")
		if x.store() {
			x.keys(ctx)
		}
	}
	x.certificate()
	x.machine(ctx)
	x.backups(s, running)
	x.recovery(s, running && s.State == operator.Unsealed)
	return x.found
}

// examination collects what is found.
type examination struct {
	cfg   Config
	found []Finding
}

func (x *examination) fine(area, what string) {
	x.found = append(x.found, Finding{Level: Fine, Area: area, What: what})
}

func (x *examination) warn(area, what, do string) {
	x.found = append(x.found, Finding{Warning, area, what, do})
}

func (x *examination) trouble(area, what, do string) {
	x.found = append(x.found, Finding{Trouble, area, what, do})
}

// words is an error without the codes that programs read.
func words(err error) string {
	if f := fault.As(err); f != nil {
		if f.Err != nil {
			return f.Msg + " (" + words(f.Err) + ")"
		}
		return f.Msg
	}
	return err.Error()
}

// dataFolder reports whether there is something to look at.
func (x *examination) dataFolder() bool {
	const area = "data folder"
	dir := x.cfg.Data
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.trouble(area, dir+" is not there", "run oneclawd init, or correct the setting data")
		return false
	case err != nil:
		x.trouble(area, err.Error(), "look at it as the user that the daemon runs as")
		return false
	case info.Mode().Perm()&0o077 != 0:
		x.warn(area, dir+" can be looked at by other users", "chmod 700 "+dir)
	}
	if err := writable(dir); err != nil {
		x.trouble(area, dir+" cannot be written: "+err.Error(), "look at its file system and its mode, as the user that the daemon runs as")
		return true
	}
	if free, ok := freeSpace(dir); ok && free < littleSpace {
		x.warn(area, fmt.Sprintf("%d MiB are free", free>>20), "make room: without space there are no writes, and no reads that are audited")
		return true
	}
	x.fine(area, dir)
	return true
}

func (x *examination) daemon(s operator.Status) {
	text := fmt.Sprintf("%s, oneclawd %s, process %d", s.State, s.Version, s.PID)
	switch s.State {
	case operator.Unsealed:
		x.fine("daemon", text)
	case operator.Draining:
		x.warn("daemon", text, "wait until it has stopped")
	default:
		x.trouble("daemon", text, "run oneclawd unseal")
		return
	}
	if s.Keys == "ok" {
		x.fine("keys", s.Module+" answers")
	} else {
		x.trouble("keys", s.Module+" is "+s.Keys, "look at the HSM and at the daemon's log; oneclawd hsm doctor says which call fails")
	}
	for _, m := range s.Modules {
		if m.Status == "ok" {
			x.fine("HSM module "+m.Name, "it answers")
			continue
		}
		x.trouble("HSM module "+m.Name, strings.TrimSuffix(m.Status+": "+m.Error, ": "), "its vaults do not open; look at its file in hsm.modules and at its token; without a root key: oneclawd hsm init "+m.Name)
	}
	for _, note := range s.Notes {
		x.warn("note", note, "")
	}
}

// store reports whether there are keys to try.
func (x *examination) store() bool {
	const area = "store"
	path := filepath.Join(x.cfg.Data, "state.db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		x.trouble(area, "there is no appliance in the data folder yet", "run oneclawd init")
		return false
	}
	if writable(x.cfg.Data) != nil { // said already, and no reason to restore anything
		return false
	}
	db, err := store.Open(store.Config{Path: path})
	if err != nil {
		x.trouble(area, words(err), "keep a copy of the folder as it is; oneclawd backup restore puts a backup into an empty one")
		return false
	}
	defer func() { _ = db.Close() }()
	meta, err := db.Meta()
	if err != nil {
		x.trouble(area, words(err), "run oneclawd init again: it finishes what was interrupted")
		return false
	}
	x.fine(area, "appliance "+meta.Instance.String()+", made "+meta.CreatedAt.Local().Format(time.DateOnly))
	return true
}

func (x *examination) keys(ctx context.Context) {
	const area = "keys"
	named, err := NamesPIN(x.cfg)
	switch {
	case err != nil:
		x.trouble(area, words(err), "correct the setting, or the file's mode")
		return
	case !named:
		x.warn(area, "the configuration names no PIN, so the token was not tried", "the daemon will wait for oneclawd unseal")
		return
	}
	m, err := OpenKeys(ctx, x.cfg, plain.Bytes{})
	if err != nil {
		x.trouble(area, words(err), "oneclawd hsm doctor says what the token can do and which call fails")
		return
	}
	defer func() { _ = m.Close() }()
	about := m.Describe()
	if err := m.Check(ctx); err != nil {
		x.trouble(area, words(err), "is it the token that the appliance was made with?")
		return
	}
	x.fine(area, about.Kind+" "+about.Token+" opens and its root key works")
	if about.Accounts != "" {
		x.fine(area, "it can keep the keys of EVM accounts (secp256k1)")
	}
	for _, note := range about.Notes {
		x.warn("note", note, "")
	}
}

func (x *examination) certificate() {
	if !x.cfg.encrypted() {
		return
	}
	const area = "certificate"
	s, err := tlsconf.Inspect(x.cfg.tlsSource(nil))
	switch left := time.Until(s.NotAfter); {
	case err != nil:
		x.trouble(area, words(err), "correct tls.cert_file and tls.key_file, or set tls.local_ca")
	case left < 0:
		x.trouble(area, "it ended on "+s.NotAfter.Format(time.DateOnly), "put a new one in its place: it is taken without a restart")
	case left < expiresSoon && x.cfg.TLS.CertFile != "":
		x.warn(area, "it ends on "+s.NotAfter.Format(time.DateOnly), "put a new one in its place: it is taken without a restart")
	default:
		x.fine(area, "good until "+s.NotAfter.Format(time.DateOnly))
	}
}

func (x *examination) machine(ctx context.Context) {
	if wrong, ok := clockUnsynchronised(); ok && wrong {
		x.warn("clock", "nothing keeps it right", "run a time service: tokens, certificates and codes depend on it")
	}
	if x.cfg.Attest.Mode != attestRequired {
		return
	}
	if _, found, err := x.cfg.appraise(ctx, attest.Binding{Nonce: attest.NewNonce()}); err != nil {
		x.trouble("attestation", words(err), "docs/attestation.md says what each refusal means")
	} else {
		x.fine("attestation", fmt.Sprintf("%s, image %x", found.Product, found.Measurement))
	}
}

func (x *examination) backups(s operator.Status, running bool) {
	const area = "backup"
	if !running || s.State != operator.Unsealed {
		return
	}
	overdue := backupOverdue * time.Duration(x.cfg.Backup.Every)
	switch {
	case s.ProvenRestore == nil:
		x.warn(area, "no backup was ever proven by restoring it", "set backup.dir, or run oneclawd backup create FILE and oneclawd drill FILE")
	case time.Since(*s.ProvenRestore) > overdue:
		x.warn(area, "the last that was proven is of "+s.ProvenRestore.Local().Format(time.DateTime), "look at the daemon's log for why the newer ones fail")
	default:
		x.fine(area, "the last that was proven is of "+s.ProvenRestore.Local().Format(time.DateTime))
	}
}
