package appliance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
)

// TestStateLost: where an archive is, an empty data file is one that was lost, and
// nothing new is set up over it.
func TestStateLost(t *testing.T) {
	data := t.TempDir()
	db, err := store.Open(store.Config{Path: filepath.Join(data, "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	archive := filepath.Join(data, "events")
	for _, step := range []struct {
		name string
		do   func() error
		want error
	}{
		{"a new folder", func() error { return nil }, nil},
		{"an init that ended early", func() error { return os.Mkdir(archive, 0o700) }, nil},
		{"an archive", func() error { return os.WriteFile(filepath.Join(archive, "MANIFEST"), []byte("x"), 0o600) }, ErrStateLost},
		{"with its store", func() error { return db.Init(store.Meta{}, plain.New(make([]byte, store.KeySize))) }, nil},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if err := lost(db, data); !errors.Is(err, step.want) {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

func TestExplainDamage(t *testing.T) {
	err := fmt.Errorf("audit: size: %w", store.ErrDamaged.Detail("record 00 of audit-counter is damaged"))
	if f := fault.As(explainDamage(err)); f.Msg != "record 00 of audit-counter is damaged; restore a backup" || !errors.Is(f, store.ErrDamaged) {
		t.Errorf("%v", f)
	}
	if err := explainDamage(ErrNotInitialised); errors.Is(err, store.ErrDamaged) || strings.Contains(err.Error(), "backup") {
		t.Error(err)
	}
	if explainDamage(nil) != nil {
		t.Error("no error became one")
	}
}
