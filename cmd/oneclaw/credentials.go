package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/zalando/go-keyring"
)

// credential is what a person signed in with. It is good for one appliance and is
// never sent to another.
type credential struct {
	Token     string    `json:"token,omitempty"`
	Key       string    `json:"key,omitempty"`
	KeyID     string    `json:"key_id,omitempty"` // of a key that login made: logout revokes it
	Email     string    `json:"email,omitempty"`
	UserID    string    `json:"user_id,omitempty"`
	OrgID     string    `json:"org_id,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// The values of the setting credential-store.
const (
	storeAuto    = "auto"
	storeKeyring = "keyring"
	storeFile    = "file"
)

// store keeps things of one kind by their names: sign-ins by the address of the
// appliance, keys of vaults by that and the vault.
type store[T any] struct {
	service string // what keyrings show
	keyring bool   // ask the system's keyring
	only    bool   // and nothing else
	file    string
}

// store is where sign-ins are kept.
func (c *cli) store() (store[credential], error) {
	return openStore[credential](c, "oneclaw", "credentials.json")
}

func openStore[T any](c *cli, service, file string) (store[T], error) {
	dir, err := configDir()
	if err != nil {
		return store[T]{}, err
	}
	s := store[T]{service: service, file: filepath.Join(dir, file)}
	switch or(os.Getenv("ONECLAW_CREDENTIAL_STORE"), or(c.config.get(keyStore), storeAuto)) {
	case storeKeyring:
		s.keyring, s.only = true, true
	case storeAuto:
		s.keyring = keyringThere()
	case storeFile:
	default:
		return s, usagef("ONECLAW_CREDENTIAL_STORE is auto, keyring or file")
	}
	return s, nil
}

// keyringThere reports whether asking for a keyring can have an answer. On Linux that
// takes a session bus that is there: looking for one would start one.
func keyringThere() bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	_, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus"))
	return err == nil
}

// keyringPatience is how long a keyring may take: it may ask a person to unlock it.
const keyringPatience = 30 * time.Second

var errKeyringSilent = errors.New("the keyring of this system does not answer; to do without it: oneclaw config set credential-store file")

// patiently gives up on a keyring that does not answer. What it answers later is lost.
func patiently(do func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		text, err := do()
		done <- answer{text, err}
	}()
	t := time.NewTimer(keyringPatience)
	defer t.Stop()
	select {
	case a := <-done:
		return a.text, a.err
	case <-t.C:
		return "", errKeyringSilent
	}
}

// load returns what is kept under a name, and whether there is something.
func (s store[T]) load(name string) (T, bool, error) {
	var found T
	if s.keyring {
		text, err := patiently(func() (string, error) { return keyring.Get(s.service, name) })
		switch {
		case err == nil:
			return found, true, json.Unmarshal([]byte(text), &found)
		case errors.Is(err, errKeyringSilent), s.only && !errors.Is(err, keyring.ErrNotFound):
			return found, false, fmt.Errorf("keyring: %w", err)
		}
	}
	if s.only {
		return found, false, nil
	}
	all, err := s.read()
	found, ok := all[name]
	return found, ok, err
}

// save keeps something and says where.
func (s store[T]) save(name string, kept T) (where string, err error) {
	text, err := json.Marshal(kept)
	if err != nil {
		return "", err
	}
	if s.keyring {
		_, err := patiently(func() (string, error) { return "", keyring.Set(s.service, name, string(text)) })
		if err == nil {
			return "the keyring of this system", s.forget(name)
		}
		if s.only {
			return "", fmt.Errorf("keyring: %w", err)
		}
	}
	all, err := s.read()
	if err != nil {
		return "", err
	}
	all[name] = kept
	return s.file, s.write(all)
}

// remove forgets what is kept under a name, wherever it is.
func (s store[T]) remove(name string) error {
	if s.keyring {
		_, err := patiently(func() (string, error) { return "", keyring.Delete(s.service, name) })
		if err != nil && !errors.Is(err, keyring.ErrNotFound) && s.only {
			return fmt.Errorf("keyring: %w", err)
		}
	}
	return s.forget(name)
}

// forget removes a name from the file.
func (s store[T]) forget(name string) error {
	all, err := s.read()
	if _, there := all[name]; err != nil || !there {
		return err
	}
	delete(all, name)
	return s.write(all)
}

// read reads the file, which nobody else may be able to read.
func (s store[T]) read() (map[string]T, error) {
	all := map[string]T{}
	info, err := os.Stat(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others can read %s: chmod 600 it, and think about whether somebody did", s.file)
	}
	text, err := os.ReadFile(s.file)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s is not JSON as it should be; remove it and sign in again", s.file)
	}
	return all, nil
}

func (s store[T]) write(all map[string]T) error {
	if len(all) == 0 {
		return os.Remove(s.file)
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(s.file, append(text, '\n'))
}
