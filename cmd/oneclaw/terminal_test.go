//go:build !windows

package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// screen is a program on a terminal of its own, and what it shows there.
type screen struct {
	t    *testing.T
	cmd  *exec.Cmd
	keys *os.File // of the person
	tty  *os.File // of the program

	mu    sync.Mutex
	shown strings.Builder
	ended chan struct{} // nothing more is shown
}

// on runs oneclaw on a terminal.
func (d daemon) on(t *testing.T, home string, args ...string) *screen {
	t.Helper()
	keys, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	program := "oneclaw"
	if built := os.Getenv("ONECLAW_BINARY"); built != "" {
		program = filepath.Join(filepath.Dir(built), program)
	}
	s := &screen{t: t, cmd: exec.Command(program, args...), keys: keys, tty: tty, ended: make(chan struct{})}
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.cmd.Env = append(os.Environ(), "ONECLAW_BASE_URL="+d.API, "ONECLAW_CREDENTIAL_STORE=file", "XDG_CONFIG_HOME="+home, "HOME="+home, "TERM=xterm")
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		_, _ = io.Copy(s, keys) // ends in an error when the terminal is closed
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = tty.Close()
		_ = keys.Close()
	})
	return s
}

// Write takes what is shown.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.Write(b)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// sees waits for a text.
func (s *screen) sees(text string) {
	s.t.Helper()
	s.until(fmt.Sprintf("%q", text), func() bool { return strings.Contains(s.text(), text) })
}

// until polls: a terminal tells nobody what it has become.
func (s *screen) until(what string, ok func() bool) {
	s.t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.t.Fatalf("there is no %s on the screen:\n%s", what, s.text())
}

// types a line; hidden waits until the terminal shows nothing of it.
func (s *screen) types(line string, hidden bool) {
	s.t.Helper()
	if hidden {
		s.until("prompt that hides", func() bool {
			stty := exec.Command("stty", "-a")
			stty.Stdin = s.tty
			out, err := stty.Output()
			return err == nil && regexp.MustCompile(`(^|\s)-echo(\s|;|$)`).Match(out)
		})
	}
	if _, err := s.keys.WriteString(line + "\r"); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the program and returns all that was shown.
func (s *screen) ends(code int) string {
	s.t.Helper()
	_ = s.cmd.Wait()
	_ = s.tty.Close()
	<-s.ended
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Fatalf("exit code %d, want %d:\n%s", got, code, s.text())
	}
	return s.text()
}

// somebody is a member with a password and an authenticator app.
type somebody struct {
	address, password string
	secret            []byte // of the app
	step              int64  // of the code that was used last
}

func (d daemon) somebody(t *testing.T) *somebody {
	t.Helper()
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p := &somebody{address: "somebody@example.org", password: "A long password of Somebody 42!"}
	owner, err := client.New(client.Options{BaseURL: d.API, Token: d.Owner.APIKey})
	try(err)
	_, err = owner.InviteMember(t.Context(), api.InviteMemberRequest{Email: p.address, Role: "member"})
	try(err)
	var token string
	for m, err := range owner.OutboxMessages(t.Context(), client.OutboxQuery{}) {
		try(err)
		if m.To == p.address {
			letter, err := owner.AdminGetOutboxMessage(t.Context(), m.ID)
			try(err)
			_, rest, _ := strings.Cut(letter.Body, "#token=")
			token = strings.Fields(rest)[0]
			break
		}
	}
	anybody, err := client.New(client.Options{BaseURL: d.API})
	try(err)
	in, err := anybody.AcceptInvitation(t.Context(), api.AcceptInvitationRequest{Token: token, Password: p.password})
	try(err)
	self := anybody.As(in.AccessToken)
	setup, err := self.MFASetup(t.Context())
	try(err)
	p.secret, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.Secret)
	try(err)
	p.step = time.Now().Unix()/30 - 2 // a code is good once: the first is an older one
	_, err = self.MFAVerifySetup(t.Context(), api.MfaVerifySetupRequest{Code: p.code()})
	try(err)
	return p
}

// code is the next one that the app shows.
func (p *somebody) code() string {
	p.step++
	m := hmac.New(sha1.New, p.secret)
	_ = binary.Write(m, binary.BigEndian, p.step)
	sum := m.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// TestTerminal is what people see: prompts that hide what is secret, questions before
// it is shown, and tables.
func TestTerminal(t *testing.T) {
	d, home := startDaemon(t), t.TempDir()
	p := d.somebody(t)
	login := func(code string, want int) string {
		t.Helper()
		s := d.on(t, home, "login", p.address)
		s.sees("Password: ")
		s.types(p.password, true)
		s.sees("Code of your authenticator app, or a recovery code: ")
		s.types(code, false)
		return s.ends(want)
	}
	if shown := login("nonsense", codeSignIn); strings.Contains(shown, "Signed in") {
		t.Errorf("a wrong code signs in: %s", shown)
	}
	shown := login(p.code(), 0)
	if !strings.Contains(shown, "Signed in at "+d.API+" as "+p.address) || strings.Contains(shown, p.password) {
		t.Errorf("signing in shows\n%s", shown)
	}

	d.on(t, home, "vault", "create", "described", "--description", "with\x1b[31mcolour").ends(0)
	const value = "hunter2-canary"
	s := d.on(t, home, "secret", "set", "db/password")
	s.sees("Value of db/password: ")
	s.types(value, true)
	if shown := s.ends(0); strings.Contains(shown, value) {
		t.Errorf("writing shows\n%s", shown)
	}
	for answer, show := range map[string]bool{"n": false, "": false, "y": true} {
		s := d.on(t, home, "secret", "get", "db/password")
		s.sees("Show the value of db/password on this screen? [y/N] ")
		if strings.Contains(s.text(), value) {
			t.Error("the value is shown before the answer")
		}
		s.types(answer, false)
		if shown := s.ends(map[bool]int{false: 1}[show]); strings.Contains(shown, value) != show {
			t.Errorf("after %q:\n%s", answer, shown)
		}
	}
	table := d.on(t, home, "vault", "list").ends(0)
	if !regexp.MustCompile(`(?m)^ID +NAME +DESCRIPTION`).MatchString(table) || !strings.Contains(table, `with\x1b[31mcolour`) || strings.Contains(table, "\x1b") {
		t.Errorf("the table is\n%q", table)
	}
}
