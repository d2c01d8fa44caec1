package main

import (
	"bytes"
	"compress/flate"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// What is embedded is what the module has today. Compressed bytes may differ from one
// version of Go to the next, what is in them may not.
func TestTheEmbeddedFileIsFresh(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "vocabulary.bin")
	if err := write(fresh); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(unpacked(t, fresh), unpacked(t, "../vocabulary.bin")) {
		t.Error("vocabulary.bin is not what the module has: run `make vocabulary`")
	}
}

func unpacked(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(flate.NewReader(f))
	if err != nil || len(b) == 0 {
		t.Fatalf("%s: %d bytes, %v", name, len(b), err)
	}
	return b
}
