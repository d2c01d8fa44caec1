package plain_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
)

const canary = "CANARY-hunter2"

// However it is printed or marshalled, alone or inside something, a secret
// shows a placeholder.
func TestNothingPrintsIt(t *testing.T) {
	p := plain.FromString(canary)
	holder := struct{ Value plain.Bytes }{p}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&out, verb, p)
		fmt.Fprintf(&out, verb, holder)
		fmt.Fprintf(&out, verb, &holder)
	}
	for _, log := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(log).Info("x", "secret", p, "holder", holder)
	}
	text, err := json.Marshal(map[string]any{"a": p, "b": holder})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprint([]byte(canary))} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q shows in %s", form, out.String())
		}
	}
}

func TestRevealAndWipe(t *testing.T) {
	b := []byte(canary)
	p := plain.New(b)
	if string(p.Reveal()) != canary || p.Len() != len(canary) {
		t.Errorf("reveals %q", p.Reveal())
	}
	p.Wipe()
	if !bytes.Equal(b, make([]byte, len(canary))) {
		t.Errorf("left %q", b)
	}
	plain.Bytes{}.Wipe()
}

func TestACloneIsWipedByItself(t *testing.T) {
	a := plain.FromString("secret")
	b := a.Clone()
	a.Wipe()
	if string(b.Reveal()) != "secret" || string(a.Reveal()) == "secret" {
		t.Error("the copy is not one")
	}
}
