package appliance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// Variables of the environment that hold what opens the keys, and what the mail
// server asks for.
const (
	pinVariable        = "ONECLAW_HSM_PIN"
	passphraseVariable = "ONECLAW_HSM_PASSPHRASE"
	mailVariable       = "ONECLAW_MAIL_PASSWORD"
)

// SecretVariables are the variables of the environment that hold secrets which
// open keys.
var SecretVariables = []string{pinVariable, passphraseVariable}

// systemdCredential is the name under which systemd hands over the PIN or the
// passphrase (LoadCredentialEncrypted=, systemd.exec(5)).
const systemdCredential = "oneclawd.hsm-pin"

// credential is the PIN of the token or the passphrase of the local module, as
// the configuration names it, and whether it names one: without one an operator
// has to type it. The caller wipes it.
func (c Config) credential() (secret plain.Bytes, found bool, err error) {
	setting, env, file := "hsm.pin_file", pinVariable, c.HSM.PINFile
	if c.HSM.Module == "local" {
		setting, env, file = "hsm.passphrase_file", passphraseVariable, c.HSM.PassphraseFile
	}
	if secret, err = secretFrom(env, file); err != nil {
		return secret, false, fmt.Errorf("%s: %w", setting, err)
	}
	if secret.Len() > 0 {
		return secret, true, nil
	}
	if secret, err = systemdSecret(); err != nil || secret.Len() > 0 {
		return secret, err == nil, err
	}
	// The local module without a passphrase keeps its key in a file, and a URI may
	// name a file of its own.
	return secret, c.HSM.Module == "local" || strings.Contains(c.HSM.URI, "pin-source="), nil
}

// NamesPIN reports whether the configuration says how the keys are opened.
func NamesPIN(c Config) (bool, error) {
	secret, found, err := c.credential()
	secret.Wipe()
	return found, err
}

// systemdSecret is what systemd put into the unit's folder of credentials.
func systemdSecret() (plain.Bytes, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return plain.Bytes{}, nil
	}
	text, err := os.ReadFile(filepath.Join(dir, systemdCredential)) //nolint:gosec // systemd says where
	if errors.Is(err, fs.ErrNotExist) {
		return plain.Bytes{}, nil
	}
	return oneLine(text), err
}

// secretFrom reads a secret from the environment or else from a file that
// nobody else may read. Neither is no error. The file may be a descriptor that
// whoever started the daemon left open: /dev/fd/3.
func secretFrom(env, file string) (plain.Bytes, error) {
	if v := os.Getenv(env); v != "" {
		return plain.FromString(v), nil
	}
	if file == "" {
		return plain.Bytes{}, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return plain.Bytes{}, err
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return plain.Bytes{}, fmt.Errorf("%s can be read by others; run: chmod 600 %s", file, file)
	}
	text, err := os.ReadFile(file)
	return oneLine(text), err
}

// oneLine takes over text without the line's end that editors leave.
func oneLine(text []byte) plain.Bytes {
	n := len(text)
	for n > 0 && (text[n-1] == '\n' || text[n-1] == '\r') {
		n--
	}
	return plain.New(text[:n])
}
