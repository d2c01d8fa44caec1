package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/auditstream/syslogtest"
)

// The cases of TestEverySettingDoesSomething that are about where the audit log
// is sent.

// putAside are the files of events that were put aside.
func putAside(path string) []string {
	all, _ := filepath.Glob(path + ".*Z")
	return all
}

// refusesSet starts the daemon with settings that cannot be, and expects it to
// name one.
func (l *lab) refusesSet(t *testing.T, name string, settings ...string) {
	t.Helper()
	args := append([]string{}, l.base.args...)
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	newDaemon(t, l.base.data, args...).refuses(2, name)
}

func settingStreamFile(t *testing.T, l *lab) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.jsonl")} {
		d := l.with(t, "audit.stream_file="+path)
		v := d.human().vault(t, "v")
		eventually(t, patience, "in the file", func() bool {
			text, _ := os.ReadFile(path)
			return strings.Contains(string(text), v)
		})
		d.kill()
	}
	l.refusesSet(t, "audit.stream_file", "audit.stream_file=events.jsonl")
}

func settingStreamFileMax(t *testing.T, l *lab) {
	const size = 3 << 20 / 2
	for mb, want := range map[string]bool{"1": true, "9": false} {
		path := filepath.Join(t.TempDir(), "events.jsonl")
		line := `{"index":0}` + strings.Repeat(" ", 99) + "\n"
		if err := os.WriteFile(path, []byte(strings.Repeat(line, size/len(line))), 0o600); err != nil {
			t.Fatal(err)
		}
		d := l.with(t, "audit.stream_file="+path, "audit.stream_file_max_mb="+mb, "audit.stream_file_max_age=0s")
		v := d.human().vault(t, "v")
		eventually(t, patience, "in the file", func() bool {
			text, _ := os.ReadFile(path)
			return strings.Contains(string(text), v)
		})
		if got := len(putAside(path)) > 0; got != want {
			t.Errorf("%s MiB: put aside: %t", mb, got)
		}
		d.kill()
	}
	l.refusesSet(t, "audit.stream_file_max_mb", "audit.stream_file_max_mb=0")
}

// began writes a file whose first event was an hour ago.
func began(t *testing.T) (path string) {
	t.Helper()
	return file(t, "events.jsonl", `{"index":0,"created_at":"`+time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+`"}`+"\n")
}

func settingStreamFileAge(t *testing.T, l *lab) {
	for age, want := range map[string]bool{"30m": true, "20h": false} {
		path := began(t)
		d := l.with(t, "audit.stream_file="+path, "audit.stream_file_max_age="+age)
		v := d.human().vault(t, "v")
		eventually(t, patience, "in the file", func() bool {
			text, _ := os.ReadFile(path)
			return strings.Contains(string(text), v)
		})
		if got := len(putAside(path)) > 0; got != want {
			t.Errorf("%s: put aside: %t", age, got)
		}
		d.kill()
	}
	l.refusesSet(t, "audit.stream_file_max_age", "audit.stream_file_max_age=-1s")
}

func settingStreamFileKeep(t *testing.T, l *lab) {
	for keep, want := range map[string]int{"1": 1, "3": 3} {
		path := began(t)
		for _, old := range []string{"20250101T000000.000000000Z", "20250102T000000.000000000Z", "20250103T000000.000000000Z"} {
			if err := os.WriteFile(path+"."+old, []byte("{}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d := l.with(t, "audit.stream_file="+path, "audit.stream_file_max_age=30m", "audit.stream_file_keep="+keep)
		d.human().vault(t, "v")
		eventually(t, patience, "the oldest removed", func() bool {
			_, err := os.Stat(path + ".20250101T000000.000000000Z")
			return os.IsNotExist(err) && len(putAside(path)) == want
		})
		d.kill()
	}
	l.refusesSet(t, "audit.stream_file_keep", "audit.stream_file_keep=0")
}

// secureSyslog is a syslog server that shows one certificate, and if it asks for
// one believes another.
func secureSyslog(t *testing.T, server pair, clients ...pair) *syslogtest.Server {
	t.Helper()
	own, err := tls.LoadX509KeyPair(server.cert, server.key)
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{own}}
	for _, p := range clients {
		leaf, err := x509.ParseCertificate(p.der)
		if err != nil {
			t.Fatal(err)
		}
		c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		c.ClientCAs.AddCert(leaf)
	}
	return syslogtest.New(t, c)
}

// streams reports whether a new event arrives at a server, rather than the
// daemon saying that it cannot.
func (l *lab) streams(t *testing.T, r *syslogtest.Server, settings ...string) bool {
	t.Helper()
	d := l.with(t, settings...)
	defer d.kill()
	v := d.human().vault(t, "v")
	came := false
	eventually(t, patience, "arrived or refused", func() bool {
		for _, m := range r.Messages() {
			came = came || strings.Contains(m.Text, v)
		}
		return came || strings.Contains(d.log(), "the audit log cannot be streamed")
	})
	return came
}

func settingSyslog(t *testing.T, l *lab) {
	for range 2 {
		r := syslogtest.New(t, nil)
		if !l.streams(t, r, "audit.syslog=tcp://"+r.Addr()) {
			t.Error("nothing arrives")
		}
	}
	l.refusesSet(t, "audit.syslog", "audit.syslog=udp://127.0.0.1:514")
}

func settingSyslogCA(t *testing.T, l *lab) {
	server, other := newPair(t), newPair(t)
	r := secureSyslog(t, server)
	for ca, want := range map[string]bool{server.cert: true, other.cert: false, "": false} {
		if got := l.streams(t, r, "audit.syslog=tls://"+r.Addr(), "audit.syslog_ca_file="+ca); got != want {
			t.Errorf("arrived: %t, want %t", got, want)
		}
	}
}

func settingSyslogCertificate(t *testing.T, l *lab) {
	server, own, other := newPair(t), newPair(t), newPair(t)
	r := secureSyslog(t, server, own)
	for _, c := range []struct {
		shown pair
		want  bool
	}{{own, true}, {other, false}, {pair{}, false}} {
		if got := l.streams(t, r, "audit.syslog=tls://"+r.Addr(), "audit.syslog_ca_file="+server.cert,
			"audit.syslog_cert_file="+c.shown.cert, "audit.syslog_key_file="+c.shown.key); got != c.want {
			t.Errorf("arrived: %t, want %t", got, c.want)
		}
	}
	l.refusesSet(t, "audit.syslog_cert_file", "audit.syslog_cert_file="+own.cert)
}

func settingSyslogKey(t *testing.T, l *lab) {
	own, other := newPair(t), newPair(t)
	l.refusesSet(t, "audit.syslog_cert_file", "audit.syslog_key_file="+own.key)
	d := newDaemon(t, l.base.data, append(append([]string{}, l.base.args...), "--set", "audit.syslog=tls://127.0.0.1:6514",
		"--set", "audit.syslog_cert_file="+own.cert, "--set", "audit.syslog_key_file="+other.key)...)
	d.refuses(1, "audit.syslog", "private key does not match")
}

// 192.0.2.1 is an address of documentation (RFC 5737), where nobody is.
func settingSyslogPlain(t *testing.T, l *lab) {
	l.refusesSet(t, "audit.syslog", "audit.syslog=tcp://192.0.2.1:514")
	d := l.with(t, "audit.syslog=tcp://192.0.2.1:514", "audit.syslog_allow_plain=true")
	d.human().vault(t, "v") // nobody waits for a server that is not there
	d.kill()
}
