package e2e

import (
	"path/filepath"
	"regexp"
	"testing"
)

// TestUsageExitCode: 2 is wrong usage or configuration, so that a script can
// tell it from a failure.
func TestUsageExitCode(t *testing.T) {
	for _, args := range [][]string{
		{"config", "check", "--set", "no.such=setting"}, {"serve", "--no-such-flag"}, {"no-such-command"},
		{"serve", "surplus"}, {"init"}, {"audit", "verify", "log"},
	} {
		_, errs, code := run(t, nil, args...)
		if code == 2 {
			continue
		}
		t.Errorf("%v: exit code %d\n%s", args, code, errs)
	}
}

var errorCode = regexp.MustCompile(`(?m)^oneclawd: [a-z]+_[a-z_]+: `)

// TestMessagesAreForPeople: the codes of errors are for programs that read the
// API; on a terminal they are noise.
func TestMessagesAreForPeople(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	said := newDaemon(t, data, "serve", "--config", configured(t, data, nil)).refuses(1, "run `oneclawd init`")
	if errorCode.MatchString(said) {
		t.Errorf("it says %s", said)
	}
}
