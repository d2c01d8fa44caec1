package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

func settingUpdateKeys(t *testing.T, l *lab) {
	dir := t.TempDir()
	bundle, key := filepath.Join(dir, "a.update"), filepath.Join(dir, "key")
	public, errs, code := run(t, nil, "update", "keygen", "release", "--out", key)
	if code != 0 {
		t.Fatal(errs)
	}
	if _, errs, code := run(t, nil, "update", "bundle", "--key", key, "--out", bundle, file(t, "a", "1")); code != 0 {
		t.Fatal(errs)
	}
	for keys, want := range map[string]int{strings.TrimSpace(public): 0, "": 1} {
		if out, errs, code := run(t, nil, "update", "verify", bundle, "--set", "update.keys="+keys); code != want {
			t.Errorf("update.keys=%s: %d\n%s%s", keys, code, out, errs)
		}
	}
	l.refusesSet(t, "update.keys", "update.keys=nobody")
}
