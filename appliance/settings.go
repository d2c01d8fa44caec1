package appliance

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Setting is one leaf of Config.
type Setting struct {
	Key   string // "api.listen"
	Env   string // "ONECLAW_API_LISTEN"
	Doc   string
	value reflect.Value
}

// Value is the setting as text.
func (s Setting) Value() string {
	if list, ok := s.value.Interface().([]string); ok {
		return strings.Join(list, ",")
	}
	if m, ok := s.value.Interface().(encoding.TextMarshaler); ok {
		b, _ := m.MarshalText()
		return string(b)
	}
	return fmt.Sprint(s.value.Interface())
}

// Set parses text into the setting.
func (s Setting) Set(text string) error {
	if u, ok := s.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return bad(s.Key, "%v", err)
		}
		return nil
	}
	var err error
	switch s.value.Kind() {
	case reflect.String:
		s.value.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		s.value.SetBool(b)
	case reflect.Int:
		var n int
		n, err = strconv.Atoi(text)
		s.value.SetInt(int64(n))
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		s.value.SetFloat(f)
	case reflect.Slice:
		list := []string{}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		s.value.Set(reflect.ValueOf(list))
	}
	if err != nil {
		return bad(s.Key, "%q is not %s", text, s.kind())
	}
	return nil
}

// Settings lists every setting of c, in the order of the struct.
func (c *Config) Settings() []Setting {
	var out []Setting
	walk(reflect.ValueOf(c).Elem(), "", &out)
	return out
}

func walk(v reflect.Value, prefix string, out *[]Setting) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := prefix + f.Tag.Get("toml")
		switch {
		case f.Anonymous: // of the section that it is embedded in
			walk(v.Field(i), prefix, out)
			continue
		case f.Tag.Get("doc") == "":
			walk(v.Field(i), key+".", out)
			continue
		}
		env := "ONECLAW_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
		*out = append(*out, Setting{Key: key, Env: env, Doc: f.Tag.Get("doc"), value: v.Field(i)})
	}
}

// Load reads the configuration: defaults, then the file (if path is not
// empty), then the environment, then overrides ("key" to text, from flags).
// An unknown key anywhere is an error; whether the whole can work is for Check
// to say.
func Load(path string, getenv func(string) string, overrides map[string]string) (Config, error) {
	c := Defaults()
	if path != "" {
		if err := c.readFile(path); err != nil {
			return Config{}, err
		}
	}
	known := map[string]bool{}
	for _, s := range c.Settings() {
		known[s.Key] = true
		text, set := overrides[s.Key]
		if env := getenv(s.Env); !set && env != "" {
			text, set = env, true
		}
		if !set {
			continue
		}
		if err := s.Set(text); err != nil {
			return Config{}, err
		}
	}
	for key := range overrides {
		if !known[key] {
			return Config{}, unknown("", key)
		}
	}
	return c, nil
}

func (c *Config) readFile(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrConfig.Detail("%s does not exist; `oneclawd config defaults > %s` makes one", path, path)
	}
	if err != nil {
		return ErrConfig.Detail("%s cannot be read: %v", path, err).Because(err)
	}
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	err = dec.Decode(c)
	var strict *toml.StrictMissingError
	var decode *toml.DecodeError
	switch {
	case errors.As(err, &strict) && len(strict.Errors) > 0:
		row, _ := strict.Errors[0].Position()
		return unknown(fmt.Sprintf("%s, line %d: ", path, row), strings.Join(strict.Errors[0].Key(), "."))
	case errors.As(err, &decode):
		row, _ := decode.Position()
		if key := decode.Key(); len(key) > 0 && strings.Contains(decode.Error(), "cannot decode") {
			return mistyped(fmt.Sprintf("%s, line %d: ", path, row), strings.Join(key, "."))
		}
		return ErrConfig.Detail("%s, line %d: %s", path, row, decode.Error())
	case err != nil:
		return ErrConfig.Detail("%s: %v", path, err)
	}
	return nil
}

// WriteDefaults writes a configuration file that says what every setting
// does and sets it to its default, and begins with those that have none that
// could work.
func WriteDefaults(w io.Writer) error {
	c := Defaults()
	var b strings.Builder
	b.WriteString("# Configuration of oneclawd. A flag wins over the environment, the environment over this file.\n")
	if err := c.Check(); err != nil {
		fmt.Fprintf(&b, "#\n# To be set before oneclawd starts:\n#   %s\n", strings.ReplaceAll(words(err), "\n", "\n#   "))
	}
	section := ""
	for _, s := range c.Settings() {
		name := s.Key
		if group, leaf, ok := strings.Cut(s.Key, "."); ok {
			if group != section {
				section = group
				fmt.Fprintf(&b, "\n[%s]\n", group)
			}
			name = leaf
		}
		text, err := toml.Marshal(map[string]any{name: s.value.Interface()})
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "\n# %s\n# Environment: %s\n%s", s.Doc, s.Env, text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (l LogConfig) level() (slog.Level, error) {
	var level slog.Level
	err := level.UnmarshalText([]byte(l.Level))
	return level, err
}

// Logger returns the configured log, which writes to w.
func (l LogConfig) Logger(w io.Writer) *slog.Logger {
	level, _ := l.level()
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
