package pkcs11

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// URI is the part of RFC 7512 that names a token. Empty fields match anything.
type URI struct {
	Token        string
	Serial       string
	Manufacturer string
	Model        string
	SlotID       *uint
	ModulePath   string
	ModuleName   string
	PINSource    string // absolute path of a file
}

const maxURI = 4096

// ParseURI parses a "pkcs11:" URI. Attributes that would narrow the choice in
// ways not supported here are errors, since ignoring them could pick another
// token. pin-value is refused: URIs end up in configuration and process lists.
func ParseURI(s string) (URI, error) {
	var u URI
	rest, ok := strings.CutPrefix(s, "pkcs11:")
	if !ok {
		return u, errors.New("pkcs11: a token URI starts with 'pkcs11:'")
	}
	if len(s) > maxURI {
		return u, errors.New("pkcs11: the URI is too long")
	}
	path, query, _ := strings.Cut(rest, "?")
	if err := eachAttribute(path, ";", u.setPath); err != nil {
		return URI{}, err
	}
	if err := eachAttribute(query, "&", u.setQuery); err != nil {
		return URI{}, err
	}
	return u, nil
}

// eachAttribute calls set for every name=value of list, each name once.
func eachAttribute(list, separator string, set func(name, value string) error) error {
	if list == "" {
		return nil
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(list, separator) {
		name, raw, ok := strings.Cut(part, "=")
		if !ok || name == "" {
			return errors.New("pkcs11: the URI has an attribute without name or value")
		}
		if seen[name] {
			return fmt.Errorf("pkcs11: the URI has %q twice", name)
		}
		seen[name] = true
		// PathUnescape and not QueryUnescape: a plus sign is itself (RFC 7512, 2.3).
		value, err := url.PathUnescape(raw)
		if err != nil || strings.ContainsRune(value, 0) {
			return fmt.Errorf("pkcs11: the value of %q in the URI is not percent-encoded text", name)
		}
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (u *URI) setPath(name, value string) error {
	switch name {
	case "token":
		u.Token = value
	case "serial":
		u.Serial = value
	case "manufacturer":
		u.Manufacturer = value
	case "model":
		u.Model = value
	case "slot-id":
		id, err := strconv.ParseUint(value, 10, 0)
		if err != nil {
			return errors.New("pkcs11: slot-id in the URI is not a number")
		}
		slot := uint(id)
		u.SlotID = &slot
	default:
		return fmt.Errorf("pkcs11: the URI attribute %q is not supported; name a token by token, serial, model, manufacturer or slot-id", name)
	}
	return nil
}

func (u *URI) setQuery(name, value string) error {
	switch name {
	case "module-path":
		u.ModulePath = value
	case "module-name":
		u.ModuleName = value
	case "pin-source":
		file, err := pinFile(value)
		u.PINSource = file
		return err
	case "pin-value":
		return errors.New("pkcs11: pin-value in the URI is refused, since URIs get logged; use pin-source=file:/path")
	default:
		// RFC 7512, 2.4: vendor attributes may be ignored, others not.
		if !strings.HasPrefix(name, "x-") {
			return fmt.Errorf("pkcs11: the URI attribute %q is not supported", name)
		}
	}
	return nil
}

// pinFile accepts file:/path, file:///path and a bare path. The RFC's
// "|command" form is refused: a configuration value must not run programs.
func pinFile(value string) (string, error) {
	path := value
	if after, ok := strings.CutPrefix(value, "file:"); ok {
		path = after
		path = strings.TrimPrefix(path, "//")
	}
	if !filepath.IsAbs(path) {
		return "", errors.New("pkcs11: pin-source must be file:/absolute/path")
	}
	return filepath.Clean(path), nil
}
