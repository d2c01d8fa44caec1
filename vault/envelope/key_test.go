package envelope

import (
	"bytes"
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// Whoever has the DEK opens the envelope, whichever format it is of, and nothing else.
func TestOpenKey(t *testing.T) {
	sealed, other := seal(t, binding, "value"), seal(t, binding, "value")
	dek, err := OpenKey(t.Context(), &softKeys{}, kek, binding, sealed)
	if err != nil || dek.Len() != dekSize {
		t.Fatalf("%d bytes, %v", dek.Len(), err)
	}
	if got, err := OpenWith(dek, binding, sealed); err != nil || string(got.Reveal()) != "value" {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
	moved := binding
	moved.Version++
	short := plain.New(dek.Reveal()[:16])
	for name, try := range map[string]func() (plain.Bytes, error){
		"another envelope": func() (plain.Bytes, error) { return OpenWith(dek, binding, other) },
		"another version":  func() (plain.Bytes, error) { return OpenWith(dek, moved, sealed) },
		"no binding":       func() (plain.Bytes, error) { return OpenWith(dek, Binding{}, sealed) },
		"half a key":       func() (plain.Bytes, error) { return OpenWith(short, binding, sealed) },
		"cut":              func() (plain.Bytes, error) { return OpenWith(dek, binding, sealed[:len(sealed)-1]) },
		"no envelope":      func() (plain.Bytes, error) { return OpenWith(dek, binding, nil) },
	} {
		if v, err := try(); !errors.Is(err, ErrDamaged) || v.Len() != 0 {
			t.Errorf("%s: %d bytes, %v", name, v.Len(), err)
		}
	}
	for _, v := range vectors(t, format1File) {
		dek, err := OpenKey(t.Context(), &softKeys{}, v.kek(), v.binding(), v.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := OpenWith(dek, v.binding(), v.Envelope); err != nil || !bytes.Equal(got.Reveal(), v.Value) {
			t.Errorf("%s: %x, %v", v.Name, got.Reveal(), err)
		}
	}
}

func TestOpenKeyFails(t *testing.T) {
	sealed := seal(t, binding, "value")
	wrong := kek
	wrong.Generation++
	for name, c := range map[string]struct {
		keys   Keys
		kek    KEK
		sealed []byte
		want   error
	}{
		"another generation": {&softKeys{}, wrong, sealed, ErrDamaged},
		"no envelope":        {&softKeys{}, kek, nil, ErrDamaged},
		"a short key":        {fixedKeys{key: []byte("short")}, kek, sealed, ErrDamaged},
		"the HSM is away":    {fixedKeys{err: hsm.ErrUnavailable}, kek, sealed, hsm.ErrUnavailable},
	} {
		if dek, err := OpenKey(t.Context(), c.keys, c.kek, binding, c.sealed); !errors.Is(err, c.want) || dek.Len() != 0 {
			t.Errorf("%s: %d bytes, %v", name, dek.Len(), err)
		}
	}
}
