package attest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/google/go-sev-guest/abi"
)

// tsmTries is how often a report is read again that somebody else's write to the
// same entry made void. Nobody else should: the entry is ours.
const tsmTries = 3

// tsmReport asks configfs-tsm (Linux, Documentation/ABI/testing/configfs-tsm): a
// folder is made, what is written to its files is the request, and what is read
// from them the answer. The folder is removed in any case.
func tsmReport(ctx context.Context, dir string, data [64]byte, vmpl uint) (report, table []byte, err error) {
	entry, err := os.MkdirTemp(dir, "oneclawd-")
	if err != nil {
		return nil, nil, ErrUnsupported.Because(err)
	}
	defer func() {
		if rmErr := os.Remove(entry); rmErr != nil && err == nil {
			err = errDevice.Detail("configfs-tsm kept a used entry").Because(rmErr)
		}
	}()
	provider, err := tsmRead(entry, "provider", 64)
	if err != nil || string(bytes.TrimSpace(provider)) != "sev_guest" {
		return nil, nil, ErrUnsupported.Because(err) // another maker's: TDX, CCA
	}
	for range tsmTries {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		report, table, again, err := tsmAsk(entry, data, vmpl)
		if err != nil {
			return nil, nil, errDevice.Because(err)
		}
		if !again {
			return report, table, nil
		}
	}
	return nil, nil, errDevice.Detail("others write to the entry of configfs-tsm")
}

// tsmAsk does one request; again says that it was disturbed.
func tsmAsk(entry string, data [64]byte, vmpl uint) (report, table []byte, again bool, err error) {
	if err = tsmWrite(entry, "privlevel", []byte(strconv.FormatUint(uint64(vmpl), 10))); err != nil {
		return nil, nil, false, err
	}
	if err = tsmWrite(entry, "inblob", data[:]); err != nil {
		return nil, nil, false, err
	}
	before, err := tsmRead(entry, "generation", 32)
	if err != nil {
		return nil, nil, false, err
	}
	if report, err = tsmRead(entry, "outblob", abi.ReportSize); err != nil {
		return nil, nil, false, err
	}
	// A host that gives no certificates leaves it empty or, on some kernels, away.
	if table, err = tsmRead(entry, "auxblob", maxTable); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, false, err
	}
	after, err := tsmRead(entry, "generation", 32)
	return report, table, !bytes.Equal(before, after), err
}

// tsmWrite writes in one call, as configfs wants it, to a file that is there.
func tsmWrite(entry, name string, text []byte) error {
	f, err := os.OpenFile(filepath.Join(entry, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close()) // binary attributes are taken at close
}

// tsmRead reads a file that has at most most bytes.
func tsmRead(entry, name string, most int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(entry, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(raw)) > most {
		err = errors.New("configfs-tsm: " + name + " is longer than it can be")
	}
	return raw, err
}
