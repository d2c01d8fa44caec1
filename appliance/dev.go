package appliance

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/oneclaw/oneclawd/vault/identity"
)

// softHSMLibraries are where distributions put SoftHSM.
var softHSMLibraries = []string{
	"/usr/lib/softhsm/libsofthsm2.so",
	"/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib64/pkcs11/libsofthsm2.so",
	"/usr/lib64/softhsm/libsofthsm2.so",
	"/usr/local/lib/softhsm/libsofthsm2.so",
	"/opt/homebrew/lib/softhsm/libsofthsm2.so",
}

// softHSMConf names the environment variable by which SoftHSM finds its
// configuration.
const softHSMConf = "SOFTHSM2_CONF"

// DevKeys points cfg at a SoftHSM token of its own inside the data folder,
// made on first use, or at the local module where there is no SoftHSM. It
// returns what to add to the environment of whoever loads the library.
func DevKeys(cfg *Config) error {
	lib := findSoftHSM()
	util, err := exec.LookPath("softhsm2-util")
	if lib == "" || err != nil {
		cfg.HSM.Module = "local"
		return nil
	}
	dir := filepath.Join(cfg.Data, "softhsm")
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	conf, pinFile := filepath.Join(dir, "softhsm2.conf"), filepath.Join(dir, "pin")
	cfg.HSM.Module, cfg.HSM.Library, cfg.HSM.Token, cfg.HSM.PINFile = "pkcs11", lib, "oneclawd-dev", pinFile
	if err := os.Setenv(softHSMConf, conf); err != nil {
		return err
	}
	if isFile(conf) && isFile(pinFile) {
		return nil
	}
	return makeSoftHSMToken(util, dir, conf, pinFile, cfg.HSM.Token)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func findSoftHSM() string {
	for _, lib := range softHSMLibraries {
		if _, err := os.Stat(lib); err == nil {
			return lib
		}
	}
	return ""
}

// makeSoftHSMToken makes a token in a folder of its own and names that folder in
// conf last. A crash before that starts over in another folder, so that a
// softhsm2-util that outlived its parent cannot meet the next one.
func makeSoftHSMToken(util, dir, conf, pinFile, label string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	removeAll(filepath.Join(dir, "tokens*"))
	tokens, err := os.MkdirTemp(dir, "tokens-")
	if err != nil {
		return err
	}
	text := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", tokens)
	draft := filepath.Join(tokens, "softhsm2.conf")
	if err := os.WriteFile(draft, []byte(text), 0o600); err != nil {
		return err
	}
	pin := randomText(10)
	cmd := exec.Command(util, "--init-token", "--free", "--label", label, "--so-pin", randomText(10), "--pin", pin)
	cmd.Env = append(os.Environ(), softHSMConf+"="+draft)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("softhsm2-util could not make a token: %w: %s", err, out)
	}
	if err := os.WriteFile(pinFile, []byte(pin+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, conf)
}

// removeAll clears away what a crashed attempt may have left. What somebody is
// still writing to stays, and is in nobody's way.
func removeAll(pattern string) {
	old, _ := filepath.Glob(pattern)
	for _, path := range old {
		_ = os.RemoveAll(path)
	}
}

// randomText returns n random bytes in lower-case base32.
func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding).EncodeToString(b)
}

// DevOwner is the owner of a development appliance. The credentials lie in the
// data folder, so that a second start can show them again.
type DevOwner struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	APIKey   string `json:"api_key"`
}

func devOwnerFile(data string) string { return filepath.Join(data, "dev-owner.json") }

// LoadDevOwner reads the owner of the first start, or makes up a new one
// without a key. An appliance that was not made by `dev` has none.
func LoadDevOwner(data string) (DevOwner, error) {
	var o DevOwner
	text, err := os.ReadFile(devOwnerFile(data))
	if errors.Is(err, fs.ErrNotExist) {
		return DevOwner{Email: "owner@localhost", Password: NewPassword()}, nil
	}
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(text, &o)
}

// Save keeps the owner for the next start.
func (o DevOwner) Save(data string) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return replaceFile(devOwnerFile(data), append(text, '\n'))
}

// replaceFile writes a private file so that a crash or a power cut leaves the
// old one or the new one.
func replaceFile(name string, text []byte) error {
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// NewPassword makes up a password that satisfies the rule for passwords.
func NewPassword() string {
	for {
		var b [18]byte
		_, _ = rand.Read(b[:])
		p := base64.URLEncoding.EncodeToString(b[:])
		if identity.CheckPasswordRule(p) == nil {
			return p
		}
	}
}
