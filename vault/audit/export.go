package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"
)

// An export is JSON lines. Each is one record, byte for byte as it is in the
// log; the last is the trailer. Nothing else is needed to verify it, but the
// verifier key.
type trailer struct {
	Checkpoint string `json:"checkpoint"` // signed note
	// Hashes of the records, one after another. They are proved by the
	// checkpoint, so a record that differs from its own can be named.
	Hashes []byte `json:"hashes"`
	// Expired stands for the records before the first that is still kept.
	Expired *expired `json:"expired,omitempty"`
}

// expired is the frontier of the tree over records that are gone.
type expired struct {
	Size  uint64   `json:"size"`
	Nodes [][]byte `json:"nodes"`
}

// trailerStart is how the last line of an export, and no record, begins.
var trailerStart = []byte(`{"checkpoint":`)

// Export writes the log of every organisation, up to a fresh checkpoint. It
// does not judge: a record that is missing is left out, for VerifyExport to
// name.
func (g *Log) Export(ctx context.Context, w io.Writer) error {
	cp, err := g.Checkpoint(ctx)
	if err != nil {
		return err
	}
	bw := bufio.NewWriterSize(w, 64*1024)
	first, err := g.exportRecords(ctx, bw, cp.Size)
	if err == nil {
		err = g.exportTrailer(ctx, bw, cp, first)
	}
	if err == nil {
		err = bw.Flush()
	}
	if err != nil {
		return fmt.Errorf("audit: export: %w", err)
	}
	return nil
}

// exportRecords writes the records and returns the index of the first one kept.
func (g *Log) exportRecords(ctx context.Context, w *bufio.Writer, size uint64) (first uint64, err error) {
	wrote := false
	for from := uint64(0); from < size; from += chunkSize {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		c, err := g.read(ctx, from, size)
		if err != nil {
			return 0, err
		}
		for _, raw := range c.leaves {
			switch {
			case raw != nil:
				wrote = true
				w.Write(raw)
				w.WriteByte('\n')
			case !wrote && g.Expires:
				first++
			}
		}
	}
	return first, nil
}

// exportTrailer writes the last line, the hashes in pieces: for a long log they
// are many megabytes.
func (g *Log) exportTrailer(ctx context.Context, w *bufio.Writer, cp Checkpoint, first uint64) error {
	signed, err := json.Marshal(string(cp.Note))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, `{"checkpoint":%s,"hashes":"`, signed)
	enc := base64.NewEncoder(base64.StdEncoding, w)
	hashes := make([]tlog.Hash, chunkSize)
	for at := first; at < cp.Size; at += uint64(len(hashes)) {
		hashes = hashes[:min(chunkSize, cp.Size-at)]
		clear(hashes)
		if err := g.DB.View(ctx, func(tx Tx) error { return readHashes(tx, at, hashes) }); err != nil {
			return err
		}
		for _, h := range hashes {
			enc.Write(h[:]) //nolint:errcheck // into a bufio.Writer
		}
	}
	enc.Close() //nolint:errcheck // into a bufio.Writer
	w.WriteByte('"')
	if first > 0 {
		gone, err := g.expired(ctx, first)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, `,"expired":%s`, gone)
	}
	_, err = w.WriteString("}\n")
	return err
}

func (g *Log) expired(ctx context.Context, size uint64) ([]byte, error) {
	e := expired{Size: size}
	err := g.DB.View(ctx, func(tx Tx) error {
		f, err := frontierAt(tx, size)
		for _, h := range f.nodes {
			e.Nodes = append(e.Nodes, bytes.Clone(h[:]))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(e)
}
