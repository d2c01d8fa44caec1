package client_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/appliance/client/cmek"
)

func TestValuesAreDecryptedWithTheVaultsKey(t *testing.T) {
	before, key := cmek.NewKey(), cmek.NewKey()
	values := map[string]api.SecretResponse{
		"sealed":  {Value: key.Seal("value"), CMEKEncrypted: true},
		"hex":     {Value: key.SealHex("value"), CMEKEncrypted: true},
		"older":   {Value: before.Seal("value"), CMEKEncrypted: true},
		"other":   {Value: cmek.NewKey().Seal("value"), CMEKEncrypted: true},
		"never":   {Value: "canary", CMEKEncrypted: true},
		"without": {Value: "value"},
	}
	s := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.URL.Path, "/")
		out := values[parts[5]]
		out.CreatedAt = now
		answer(w, http.StatusOK, out)
	}})
	const vault = "5b2c8a6e-0000-4000-8000-00000000000a"
	c := open(t, client.Options{BaseURL: s.URL, Token: "t", CMEK: map[string][]cmek.Key{strings.ToUpper(vault): {key, before}}})
	for path, want := range map[string]string{"sealed": "value", "hex": "value", "older": "value", "without": "value", "other": "", "never": ""} {
		one, err := c.GetSecret(t.Context(), vault, path)
		two, again := c.GetSecretVersion(t.Context(), vault, path, 1)
		if one.Value != want || two.Value != want {
			t.Errorf("%s: %q and %q, want %q", path, one.Value, two.Value, want)
		}
		for _, err := range []error{err, again} {
			if (want == "") != errors.Is(err, cmek.ErrOpen) || err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	asked := 0
	elsewhere := open(t, client.Options{BaseURL: s.URL, Token: "t", FindCMEK: func(of string) ([]cmek.Key, error) {
		if asked++; of != vault {
			return nil, errors.New("no keyring")
		}
		return []cmek.Key{key}, nil
	}})
	if got, err := elsewhere.GetSecret(t.Context(), vault, "without"); err != nil || got.Value != "value" || asked != 0 {
		t.Errorf("where nothing is encrypted: %q, %v, asked %d times", got.Value, err, asked)
	}
	if got, err := elsewhere.GetSecret(t.Context(), vault, "sealed"); err != nil || got.Value != "value" {
		t.Errorf("with a key from elsewhere: %q, %v", got.Value, err)
	}
	if got, err := elsewhere.GetSecret(t.Context(), "another", "sealed"); err == nil || got.Value != "" {
		t.Errorf("without an answer: %q, %v", got.Value, err)
	}
	if got, err := c.GetSecret(t.Context(), "another", "sealed"); err != nil || got.Value != values["sealed"].Value {
		t.Errorf("in a vault without a key here: %q, %v", got.Value, err)
	}
}
