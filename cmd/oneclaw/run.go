package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

// The codes of env(1) and of shells, for a program that was not run.
const (
	codeCannotRun = 126
	codeNoProgram = 127
)

func newRun(p *place) *cobra.Command {
	var prefix string
	var bare, clean bool
	cmd := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARGUMENT...]",
		Short: "Run a program with secrets in its environment",
		Long: `Run one program with the environment that the vault has for it (see oneclaw env), on top
of the one there is. Its exit code becomes this one's; signals go to it.

In what it prints every value is replaced by [REDACTED:path], also where a value was
encoded or is cut in two by how it is written, and so are the lines of one that has
several, from 16 characters on. Values of fewer than 8 characters are
not: they are in every second text. Its output goes through a pipe for that; --no-mask
gives it the terminal as it is.

  oneclaw run -- npm start
  oneclaw run --prefix prod/ -- ./deploy.sh

The program, and what it starts, can read its environment, and so can this user's other
processes. The credentials of oneclaw itself are taken out of it.`,
		Args: cobra.MinimumNArgs(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			variables, items, err := p.environment(cmd, remote, vault, prefix)
			if err != nil {
				return err
			}
			child := exec.Command(args[0], args[1:]...) //nolint:gosec // that is what was asked for
			child.Env = childEnvironment(os.Environ(), variables, clean)
			child.Stdin, child.Stdout, child.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			if !bare {
				matcher := redact.New(manifest(items))
				for _, path := range matcher.Uncovered() {
					p.say(cmd, "Note: %s is too short to be masked in what the program prints.", path)
				}
				out, err := newMask(matcher, child.Stdout), newMask(matcher, child.Stderr)
				child.Stdout, child.Stderr = out, err
				defer out.flush()
				defer err.flush()
			}
			return start(child)
		}),
	}
	cmd.Flags().SetInterspersed(false) // what follows the program is the program's
	cmd.Flags().StringVar(&prefix, "prefix", "", "only secrets whose path begins with it")
	cmd.Flags().BoolVar(&bare, "no-mask", false, "do not look for values in what the program prints")
	cmd.Flags().BoolVar(&clean, "clean", false, "give it nothing of the environment but PATH, HOME, USER, LANG, TERM and what is needed to run")
	return cmd
}

// credentials are what must not be handed on: the program gets what is meant for it,
// not what would let it ask for more.
var credentials = []string{"ONECLAW_TOKEN", "ONECLAW_API_KEY", "ONECLAW_AGENT_API_KEY"}

// kept is what is left of an environment that is cleaned.
var kept = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "COMSPEC", "PATHEXT", "USERPROFILE"}

// childEnvironment is an environment with variables on top of it.
func childEnvironment(base []string, variables []variable, clean bool) []string {
	var env []string
	for _, entry := range base {
		name, _, _ := strings.Cut(entry, "=")
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		if oneOf(credentials, name) || clean && !oneOf(kept, name) {
			continue
		}
		env = append(env, entry)
	}
	for _, v := range variables {
		env = append(env, v.Name+"="+v.Value) // the last of a name counts
	}
	return env
}

// manifest is what to look for in the output: each value by itself, where a bundle
// has many.
func manifest(items []item) []redact.Entry {
	var entries []redact.Entry
	for _, it := range items {
		if it.Type != typeBundle {
			entries = append(entries, looked(it.Path, it.Value)...)
			continue
		}
		found, _ := parseDotenv(it.Value) // it was parsed before
		for _, v := range found {
			entries = append(entries, looked(it.Path+"#"+v.Name, v.Value)...)
		}
	}
	return entries
}

// telling is how long a line of a value has to be to be looked for by itself.
const telling = 16

// looked is what is looked for of a value: it as a whole, and its lines, since logs put
// something before each. Lines that say where a key begins or ends tell nothing.
func looked(path, value string) []redact.Entry {
	entries := []redact.Entry{{Path: path, Value: plain.FromString(value)}}
	lines := strings.Split(value, "\n")
	for _, line := range lines {
		if line = strings.TrimSpace(line); len(lines) > 1 && len(line) >= telling && !strings.HasPrefix(line, "-----") {
			entries = append(entries, redact.Entry{Path: path, Value: plain.FromString(line)})
		}
	}
	return entries
}

// mask is a writer that shows no value.
type mask struct {
	mu     sync.Mutex
	stream *redact.Stream
	to     io.Writer
	buf    []byte
}

func newMask(m *redact.Matcher, to io.Writer) *mask { return &mask{stream: m.Stream(), to: to} }

func (m *mask) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.buf = m.stream.Append(m.buf[:0], p)
	if len(m.buf) == 0 {
		return len(p), nil
	}
	_, err := m.to.Write(m.buf)
	return len(p), err
}

func (m *mask) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if rest := m.stream.Flush(nil); len(rest) > 0 {
		_, _ = m.to.Write(rest)
	}
}

// start runs a program to its end. Signals go to it, and it decides what they mean.
func start(child *exec.Cmd) error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded...)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		fmt.Fprintf(os.Stderr, "oneclaw: %s: %v\n", printable(child.Path), errors.Unwrap(err))
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			return exited(codeNoProgram)
		}
		return exited(codeCannotRun)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case s := <-signals:
			if !fromTerminal(s) { // the terminal told the program already
				_ = child.Process.Signal(s)
			}
		case err := <-ended:
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return exited(codeOf(exit.ProcessState))
			}
			return err
		}
	}
}

// newTopRun is env run under its short name.
func newTopRun(c *cli) *cobra.Command {
	p := &place{cli: c}
	cmd := newRun(p)
	vaultFlag(cmd, &p.vault)
	return cmd
}
