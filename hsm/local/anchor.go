package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

// Anchor implements hsm.Module. The anchor is sealed, so that it cannot be
// written by hand; that an older copy of the file is put back is something only
// a token could notice.
func (m *Module) Anchor(context.Context) ([]byte, error) {
	sealed, readErr := os.ReadFile(filepath.Join(m.dir, anchorFile))
	var anchor []byte
	err := m.withRoot(func(root []byte) (err error) {
		switch {
		case errors.Is(readErr, fs.ErrNotExist):
			return nil
		case readErr != nil:
			return hsm.ErrUnavailable.Because(readErr)
		}
		anchor, err = soft.Open(versionAnchor, root, sealed, aadAnchor)
		return err
	})
	return anchor, err
}

// SetAnchor implements hsm.Module.
func (m *Module) SetAnchor(_ context.Context, anchor []byte) error {
	if err := soft.CheckAnchor(anchor); err != nil {
		return err
	}
	var sealed []byte
	err := m.withRoot(func(root []byte) (err error) {
		sealed, err = soft.Seal(versionAnchor, root, anchor, aadAnchor)
		return err
	})
	if err != nil {
		return err
	}
	m.anchorMu.Lock()
	defer m.anchorMu.Unlock()
	return replaceFile(filepath.Join(m.dir, anchorFile), sealed)
}
