package main

import (
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/shroud/redact"
)

// A value of several lines is masked as a whole, and each of its lines where a log puts
// something before it. What every such value has in common is left.
func TestLinesAreMasked(t *testing.T) {
	const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCB\r\nKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nshort==\n-----END PRIVATE KEY-----\n"
	bundle := "PEM=\"" + strings.ReplaceAll(strings.TrimSpace(key), "\r\n", "\n") + "\"\n"
	for _, it := range []item{{Path: "tls/key", Type: "password", Value: key}, {Path: "tls/key", Type: typeBundle, Value: bundle}} {
		var out strings.Builder
		m := newMask(redact.New(manifest([]item{it})), &out)
		for _, line := range append(strings.SplitAfter("log: "+strings.ReplaceAll(key, "\n", "\nlog: "), "\n"), "\nthen "+strings.TrimSpace(it.Value)) {
			if _, err := m.Write([]byte(line)); err != nil {
				t.Fatal(err)
			}
		}
		m.flush()
		got := out.String()
		if strings.Contains(got, "MIIEvQ") || strings.Contains(got, "VJTUt9") || strings.Count(got, "log: [REDACTED:tls/key") != 2 {
			t.Errorf("%s: %s", it.Type, got)
		}
		if !strings.Contains(got, "log: -----BEGIN PRIVATE KEY-----\n") || !strings.Contains(got, "then ") {
			t.Errorf("%s: too much is masked: %s", it.Type, got)
		}
	}
	if n := len(manifest([]item{{Path: "p", Type: "password", Value: "one line that is long enough"}})); n != 1 {
		t.Errorf("one line is looked for %d times", n)
	}
}
