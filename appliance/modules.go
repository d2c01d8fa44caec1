package appliance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/broker"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// guest is a module other than the default one, from the file that hsm.modules
// names. The file is TOML; an unknown key is an error.
type guest struct {
	Name string `toml:"-"`
	File string `toml:"-"`

	URI     string `toml:"uri"`      // RFC 7512; instead of library and token
	Library string `toml:"library"`  // absolute path of the vendor's PKCS#11 library
	Token   string `toml:"token"`    // label
	PINFile string `toml:"pin_file"` // mode 0600; a URI may have pin-source instead
	// Sessions are opened with the token, 6 if 0.
	Sessions int `toml:"sessions"`
	// Env is added to the environment of the process that loads the library:
	// vendors' libraries find their configuration by it.
	Env map[string]string `toml:"env"`
	// Recovery has backups with a recovery key hold the keys of its vaults too. They
	// survive the module then, and whoever owns it cannot withdraw them.
	Recovery bool `toml:"recovery"`
}

var (
	guestName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	envName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// guests reads the files of hsm.modules.
func (c Config) guests() ([]guest, error) {
	out := make([]guest, 0, len(c.HSM.Modules))
	seen := map[string]bool{}
	for _, entry := range c.HSM.Modules {
		name, file, ok := strings.Cut(entry, "=")
		switch {
		case !ok || !guestName.MatchString(name):
			return nil, bad("hsm.modules", "%q is not name=file, with a name of up to 32 lower-case letters, digits and dashes", entry)
		case seen[name]:
			return nil, bad("hsm.modules", "%s is there twice", name)
		case !filepath.IsAbs(file):
			return nil, bad("hsm.modules", "%q of %s is not an absolute path", file, name)
		}
		seen[name] = true
		g, err := readGuest(name, file)
		if err != nil {
			return nil, bad("hsm.modules", "%s: %v", file, err)
		}
		out = append(out, g)
	}
	return out, nil
}

func readGuest(name, file string) (guest, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return guest{}, err
	}
	return parseGuest(name, file, text)
}

func parseGuest(name, file string, text []byte) (guest, error) {
	g := guest{Name: name, File: file, Sessions: 6}
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&g)
	var strict *toml.StrictMissingError
	var decode *toml.DecodeError
	switch {
	case errors.As(err, &strict) && len(strict.Errors) > 0:
		row, _ := strict.Errors[0].Position()
		return guest{}, fmt.Errorf("line %d: no such key: %s", row, strings.Join(strict.Errors[0].Key(), "."))
	case errors.As(err, &decode):
		row, _ := decode.Position()
		return guest{}, fmt.Errorf("line %d: %s", row, decode.Error())
	case err != nil:
		return guest{}, err
	}
	return g, g.check()
}

func (g guest) check() error {
	switch {
	case g.URI == "" && g.Library == "":
		return errors.New("uri or library is needed")
	case g.URI == "" && g.Token == "":
		return errors.New("token is needed beside library")
	case g.Library != "" && !filepath.IsAbs(g.Library):
		return fmt.Errorf("library: %q is not an absolute path", g.Library)
	case g.PINFile == "" && !strings.Contains(g.URI, "pin-source="):
		return errors.New("pin_file is needed, or pin-source in the uri")
	case g.Sessions < 2 || g.Sessions > 64:
		return fmt.Errorf("sessions: %d is not between 2 and 64", g.Sessions)
	}
	for name, value := range g.Env {
		if !envName.MatchString(name) || strings.ContainsRune(value, 0) {
			return fmt.Errorf("env: %q is no variable", name)
		}
	}
	return nil
}

// start runs the module's own broker. The PIN is read each time: it may have
// been put right.
func (g guest) start(ctx context.Context, log *slog.Logger) (hsm.Module, error) {
	pin, err := secretFrom("", g.PINFile)
	if err != nil {
		return nil, hsm.ErrUnavailable.Detail("the PIN of the HSM module %s cannot be read; look at pin_file", g.Name).Because(err)
	}
	defer pin.Wipe()
	var env []string
	for name, value := range g.Env {
		env = append(env, name+"="+value)
	}
	return runBroker(ctx, g.token(pin), env, nil, log.With("module", g.Name))
}

func (g guest) token(pin plain.Bytes) broker.Token {
	return broker.Token{Library: g.Library, Token: g.Token, URI: g.URI, PIN: pin, Sessions: g.Sessions}
}

// guestPatience is how long a start waits for modules other than the default
// one. They may come later; if they are there, their vaults open at once.
const guestPatience = 3 * time.Second

// openGuests attaches the modules of hsm.modules to the ring.
func (c *core) openGuests(ctx context.Context, observe func(hsm.Module) hsm.Module) error {
	guests, err := c.cfg.guests()
	if err != nil {
		return err
	}
	names := make([]string, len(guests))
	for i, g := range guests {
		names[i] = g.Name
		if g.Recovery {
			c.escrowed = append(c.escrowed, g.Name)
		}
	}
	c.ring = hsm.NewRing(&c.gate, names...)
	enough := time.After(guestPatience)
	var tried []<-chan struct{}
	for _, g := range guests {
		tried = append(tried, c.ring.Attach(g.Name, func(ctx context.Context) (hsm.Module, error) {
			m, err := g.start(ctx, c.log)
			if err == nil && observe != nil {
				m = observe(m)
			}
			return m, err
		}, c.log))
	}
	for _, t := range tried {
		select {
		case <-t:
		case <-enough:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// InitModule makes the root key of a module of hsm.modules, if it has none. A
// daemon that runs finds it by itself.
func InitModule(ctx context.Context, cfg Config, name string, log *slog.Logger) (hsm.Description, error) {
	if err := cfg.admits(ctx); err != nil { // no keys are made on any other machine
		return hsm.Description{}, err
	}
	guests, err := cfg.guests()
	if err != nil {
		return hsm.Description{}, err
	}
	for _, g := range guests {
		if g.Name != name {
			continue
		}
		m, err := g.start(ctx, log)
		if err != nil {
			return hsm.Description{}, err
		}
		err = m.Init(ctx)
		about := m.Describe()
		return about, andThen(err, m.Close())
	}
	return hsm.Description{}, bad("hsm.modules", "has no module %q", name)
}
