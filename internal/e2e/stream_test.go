package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/auditstream/syslogtest"
)

// streamed are the events in lines of JSON, in order.
func streamed(t *testing.T, lines [][]byte) (all []api.AuditEvent) {
	t.Helper()
	for _, line := range lines {
		var e api.AuditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

// inSequence expects each index once and in order, but for goings back to one
// that was there, which it counts, and each event to be one and the same.
func inSequence(t *testing.T, where string, all []api.AuditEvent) (next uint64, seams int) {
	t.Helper()
	ids, before := map[uint64]string{}, uint64(0)
	for i, e := range all {
		if e.Index > next {
			t.Fatalf("%s: %d follows %d, and %d was not there", where, e.Index, before, next)
		}
		if i > 0 && e.Index != before+1 {
			seams++
		}
		if known, again := ids[e.Index]; again && known != e.ID {
			t.Fatalf("%s: two events are number %d", where, e.Index)
		}
		ids[e.Index], before, next = e.ID, e.Index, max(next, e.Index+1)
	}
	return next, seams
}

// TestAuditStream streams to a file and over TLS while the daemon is killed and
// the server is away: nothing is missing, nothing out of order, what comes twice
// does so where something broke, and no value is in it.
func TestAuditStream(t *testing.T) {
	server := newPair(t)
	r := secureSyslog(t, server)
	path := filepath.Join(t.TempDir(), "events.jsonl")
	d := newLocal(t, "--set", "audit.stream_file="+path, "--set", "audit.syslog=tls://"+r.Addr(), "--set", "audit.syslog_ca_file="+server.cert,
		"--set", "audit.stream_file_max_age=1s", "--set", "audit.stream_file_keep=1000", "--set", "api.trusted_proxies=127.0.0.0/8", "--set", "limits.auth_rate=0").start()
	values, names := canaries()
	credentials := plant(t, d, values, names)
	v := d.human().vault(t, "streamed")
	breaks := 2 // the server's
	for round := range 6 {
		r.Set([]syslogtest.Mode{syslogtest.Up, syslogtest.Down, syslogtest.Dying}[round%3])
		before := r.Connections()
		for i := range 40 {
			d.human().put(v, fmt.Sprintf("r%d/%d", round, i), values[0].text).is(t, 201)
		}
		eventually(t, patience, "tried", func() bool { return r.Connections() > before })
		if round%2 == 0 {
			d.kill()
			d.start()
			breaks++
		}
	}
	r.Set(syslogtest.Up)
	last := d.human().vault(t, "last")
	fromFile := func() (lines [][]byte) {
		for _, name := range append(putAside(path), path) {
			text, err := os.ReadFile(name)
			if os.IsNotExist(err) {
				continue // put aside just now
			}
			if info, err := os.Stat(name); err == nil && info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", name, info.Mode())
			}
			for line := range bytes.Lines(text) {
				lines = append(lines, line)
			}
		}
		return lines
	}
	fromSyslog := func() (lines [][]byte) {
		for _, m := range r.Messages() {
			lines = append(lines, []byte(m.Text))
		}
		return lines
	}
	for where, lines := range map[string]func() [][]byte{"file": fromFile, "syslog": fromSyslog} {
		eventually(t, 3*patience, "all in the "+where, func() bool {
			all := lines()
			return len(all) > 0 && strings.Contains(string(all[len(all)-1]), last)
		})
		text := lines()
		all := streamed(t, text)
		size, seams := inSequence(t, where, all)
		if newest := d.human().events(t, "limit=1")[0]; newest.ID != all[len(all)-1].ID || size != newest.Index+1 {
			t.Errorf("%s: it ends with %+v, the log with %+v", where, all[len(all)-1], newest)
		}
		t.Logf("%s: %d events in %d lines with %d seams", where, size, len(all), seams)
		if where == "file" && (seams > breaks || len(putAside(path)) == 0) {
			t.Errorf("%d seams with %d breaks, %d files", seams, breaks, len(putAside(path)))
		}
		shown := bytes.Join(text, nil)
		for _, c := range append(append([]canary{}, values...), credentials...) {
			if found := c.in(shown); found != nil {
				t.Errorf("%s shows the %s, %v", where, c.what, found)
			}
		}
	}
}
