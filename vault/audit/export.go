package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"

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
	// Expired stands for the records before the first of this export: they are in
	// an earlier one, or not kept any longer.
	Expired *expired `json:"expired,omitempty"`
}

// expired is the frontier of the tree over records that are not in the export.
type expired struct {
	Size  uint64   `json:"size"`
	Nodes [][]byte `json:"nodes"`
}

// trailerStart is how the last line of an export, and no record, begins.
var trailerStart = []byte(`{"checkpoint":`)

// Export writes the log of every organisation from a record on, the first being
// 0, up to a fresh checkpoint. From the size of an earlier export on it is what
// that one lacks. It does not judge: a record that is missing or damaged is left out,
// for VerifyExport to name.
func (g *Log) Export(ctx context.Context, w io.Writer, from uint64) error {
	cp, err := g.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if from > cp.Size {
		return ErrBeyond.Detail("the log has %d records, so none from %d on; was the earlier export from another appliance, or from before a restore?", cp.Size, from)
	}
	bw := bufio.NewWriterSize(w, 64*1024)
	first, err := g.exportRecords(ctx, bw, from, cp.Size)
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
func (g *Log) exportRecords(ctx context.Context, w *bufio.Writer, from, size uint64) (first uint64, err error) {
	wrote := false
	for first = from; from < size; from += chunkSize {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		c, err := g.read(ctx, from, size)
		if err != nil {
			return 0, err
		}
		for _, raw := range c.leaves {
			switch {
			case len(raw) > 0:
				wrote = true
				w.Write(raw)
				w.WriteByte('\n')
			case raw != nil:
				wrote = true // it has not expired
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

// ExportedTo returns the size of the log at the end of an earlier export, or of
// a checkpoint: where the next export goes on. Nothing is verified: a wrong size
// gives an export that does not continue the earlier one, which verifying shows.
func ExportedTo(r io.Reader) (uint64, error) {
	text, err := lastCheckpoint(r)
	if err != nil {
		return 0, fmt.Errorf("audit: the earlier export: %w", err)
	}
	signed, _, _ := strings.Cut(text, "\n\n")
	cp, err := parseCheckpoint(signed + "\n")
	if err != nil {
		return 0, ErrCheckpoint.Because(err)
	}
	return cp.Size, nil
}

// lastCheckpoint is the signed note at the end of an export, or all of r if that
// is none.
func lastCheckpoint(r io.Reader) (string, error) {
	br := bufio.NewReader(r)
	var whole strings.Builder
	for {
		line, err := br.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return "", err
		}
		if bytes.HasPrefix(line, trailerStart) {
			var t trailer
			err := json.Unmarshal(line, &t)
			return t.Checkpoint, err
		}
		if whole.Len() < maxNote {
			whole.Write(line)
		}
		if err == io.EOF {
			return whole.String(), nil
		}
	}
}

// maxNote is longer than any checkpoint, in bytes.
const maxNote = 4096
