package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// fake is a daemon that takes one PIN.
type fake struct {
	pin   string
	state State
	who   Peer

	backup string
	cut    error // why it ends early
}

func (f *fake) Status() Status { return Status{State: f.state, Version: "1", PID: os.Getpid()} }

func (f *fake) Unseal(_ context.Context, who Peer, c Credential) error {
	f.who = who
	if string(c.Secret.Reveal()) != f.pin {
		return fault.New(fault.Unauthenticated, "wrong", "wrong PIN").Because(errors.New("CKR_PIN_INCORRECT"))
	}
	f.state = Unsealed
	return nil
}

func (f *fake) Seal(context.Context, Peer) error { return errors.New("the disk is gone") }

func (f *fake) Backup(_ context.Context, _ Peer, w io.Writer) error {
	if f.state != Unsealed {
		return fault.New(fault.Sealed, "sealed", "sealed")
	}
	_, err := io.WriteString(w, f.backup)
	return errors.Join(err, f.cut)
}

func (f *fake) Drill(_ context.Context, _ Peer, path string) ([]byte, error) {
	return []byte(`{"of":"` + path + `"}`), nil
}

func (f *fake) RotateForwardCA(_ context.Context, who Peer) ([]byte, error) {
	f.who = who
	return []byte("a\ncertificate\n"), nil
}

func start(t *testing.T, path string, d Daemon) *Client {
	t.Helper()
	l, err := Listen(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(d, &fakeKeeper{})
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return NewClient(path)
}

func TestOperating(t *testing.T) {
	for name, path := range map[string]string{
		"short": filepath.Join(t.TempDir(), "s"),
		"long":  filepath.Join(t.TempDir(), strings.Repeat("long/", 40), "s"),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			pin := "1234\x00\"\\é"
			f := &fake{pin: pin, state: Sealed}
			c := start(t, path, f)
			if s, err := c.Status(t.Context()); err != nil || s.State != Sealed {
				t.Fatalf("%+v, %v", s, err)
			}
			_, err := c.Unseal(t.Context(), Credential{Kind: PIN, Secret: plain.FromString("another")})
			if fault.KindOf(err) != fault.Unauthenticated || !strings.Contains(err.Error(), "CKR_PIN_INCORRECT") {
				t.Errorf("a wrong PIN: %v", err)
			}
			if s, err := c.Unseal(t.Context(), Credential{Kind: PIN, Secret: plain.FromString(pin)}); err != nil || s.State != Unsealed {
				t.Errorf("%+v, %v", s, err)
			}
			if f.who.UID != uint32(os.Geteuid()) || f.who.PID != int32(os.Getpid()) {
				t.Errorf("it was asked by %+v", f.who)
			}
			if ca, err := c.RotateForwardCA(t.Context()); err != nil || string(ca) != "a\ncertificate\n" {
				t.Errorf("%q, %v", ca, err)
			}
			if _, err := c.Seal(t.Context()); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
				t.Errorf("operators see causes: %v", err)
			}
		})
	}
}

func TestListen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	log := slog.New(slog.DiscardHandler)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, log); err == nil {
		t.Error("a file that is not a socket was replaced")
	}
	path = filepath.Join(dir, "t")
	l, err := Listen(path, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, log); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: %v", err)
	}
	if err := l.(*listener).UnixListener.Close(); err != nil { // as a crash leaves it
		t.Fatal(err)
	}
	l, err = Listen(path, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket stays behind")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := NewClient(path).Status(ctx); !errors.Is(err, ErrNoDaemon) || !strings.Contains(err.Error(), path) {
		t.Errorf("without a daemon: %v", err)
	}
}

func TestBackupIsWholeOrAnError(t *testing.T) {
	f := &fake{state: Sealed, backup: strings.Repeat("backup ", 1<<16)}
	c := start(t, filepath.Join(t.TempDir(), "s"), f)
	if _, err := c.Backup(t.Context()); fault.KindOf(err) != fault.Sealed {
		t.Errorf("while sealed: %v", err)
	}
	read := func() (string, error) {
		r, err := c.Backup(t.Context())
		if err != nil {
			return "", err
		}
		defer r.Close()
		text, err := io.ReadAll(r)
		return string(text), err
	}
	f.state = Unsealed
	if text, err := read(); err != nil || text != f.backup {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	f.cut = errors.New("the disk is gone")
	if _, err := read(); err == nil {
		t.Error("a backup that was cut off looks whole")
	}
	receipt, err := c.Drill(t.Context(), "/tmp/a b")
	if err != nil || string(receipt) != `{"of":"/tmp/a b"}` {
		t.Errorf("%s, %v", receipt, err)
	}
}

func FuzzCredential(f *testing.F) {
	for _, s := range []string{`{}`, `{"kind":"pin","secret":"MTIzNA=="}`, `{"kind":"share","secret":1}`, `{"kind":"code","secret":"!"}`, `{"kind":"x"}`, `[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := readCredential(bytes.NewReader(body))
		if err != nil {
			if c.Secret.Len() != 0 {
				t.Error("refused and taken")
			}
			return
		}
		var in struct {
			Secret []byte `json:"secret"`
		}
		if err := json.Unmarshal(body, &in); err != nil || string(in.Secret) != string(c.Secret.Reveal()) {
			t.Errorf("%q is read as %q", body, c.Secret.Reveal())
		}
	})
}
