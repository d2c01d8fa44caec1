package api

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestT11TimesAreUTC(t *testing.T) {
	berlin := time.FixedZone("", 2*3600)
	for _, tt := range []struct {
		in   time.Time
		want string
	}{
		{time.Date(2026, 3, 4, 12, 0, 0, 0, berlin), `"2026-03-04T10:00:00Z"`},
		{time.Date(2026, 3, 4, 12, 0, 0, 123456789, time.UTC), `"2026-03-04T12:00:00.123456Z"`},
		{time.Date(2026, 3, 4, 12, 0, 0, 120000000, time.UTC), `"2026-03-04T12:00:00.12Z"`},
	} {
		if got := encode(t, At(tt.in)); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.in, got, tt.want)
		}
	}
	var back Time
	if err := json.Unmarshal([]byte(`"2026-03-04T12:00:00+02:00"`), &back); err != nil || back.UTC().Hour() != 10 {
		t.Errorf("%v %v", back, err)
	}
	for _, bad := range []string{`"0001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59-00:01"`, `"x"`, `1`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s is taken for a time", bad)
		}
	}
	back = Time{}
	if err := json.Unmarshal([]byte(`null`), &back); err != nil || !back.IsZero() {
		t.Errorf("null: %v %v", back, err)
	}
	if AtOrNone(nil).Ptr() != nil || At(time.Unix(1, 0)).Ptr() == nil {
		t.Error("no time is not kept apart from a time")
	}
}

// TestT10StrictReaders holds the objects that the official Go SDK reads to the
// fields it knows: one more is a failure there, and so is a required one less.
func TestT10StrictReaders(t *testing.T) {
	for _, tt := range []struct {
		object           any
		required, others string
	}{
		{TokenResponse{}, "access_token token_type", "expires_in refresh_token"},
		{VaultResponse{}, "id name created_at", "description created_by created_by_type cmek_enabled cmek_fingerprint"},
		{SecretMetadataResponse{}, "id path type version created_at", "metadata expires_at"},
		{SecretResponse{}, "id path type value version created_at", "metadata expires_at created_by cmek_encrypted"},
		{PolicyResponse{}, "id vault_id secret_path_pattern principal_type principal_id permissions created_at", "conditions expires_at created_by created_by_type"},
		{AgentCreatedResponse{}, "agent", "api_key"},
		{AgentResponse{}, "id name auth_method is_active intents_api_enabled shroud_enabled created_at",
			"description scopes tx_to_allowlist tx_max_value_eth tx_daily_limit_eth tx_allowed_chains token_ttl_seconds vault_ids client_cert_fingerprint oidc_issuer oidc_client_id ssh_public_key ecdh_public_key shroud_config expires_at last_active_at"},
		{JWTPublicKeyResponse{}, "alg public_key_base64", ""},
	} {
		name := reflect.TypeOf(tt.object).Name()
		var zero map[string]json.RawMessage
		if err := json.Unmarshal([]byte(encode(t, tt.object)), &zero); err != nil {
			t.Fatal(err)
		}
		for _, f := range strings.Fields(tt.required) {
			if _, ok := zero[f]; !ok {
				t.Errorf("%s can be without %s", name, f)
			}
		}
		known := strings.Fields(tt.required + " " + tt.others)
		if name == "TokenResponse" {
			known = append(known, "agent_id", "vault_ids") // left out for strict readers
			if _, ok := zero["vault_ids"]; ok {
				t.Error("vault_ids cannot be left out")
			}
		}
		for i := range reflect.TypeOf(tt.object).NumField() {
			f, _, _ := strings.Cut(reflect.TypeOf(tt.object).Field(i).Tag.Get("json"), ",")
			if !slices.Contains(known, f) {
				t.Errorf("%s has %s, which strict readers refuse", name, f)
			}
		}
	}
}

func TestT13Defaults(t *testing.T) {
	s := encode(t, SecretMetadataResponse{})
	if !strings.Contains(s, `"metadata":{}`) || strings.Contains(s, "expires_at") {
		t.Error(s)
	}
	if v := encode(t, VaultResponse{}); !strings.Contains(v, `"description":""`) {
		t.Error(v)
	}
	if p := encode(t, PolicyResponse{}); !strings.Contains(p, `"conditions":{}`) {
		t.Error(p)
	}
	if r := encode(t, TokenResponse{VaultIDs: []string{}}); !strings.Contains(r, `"vault_ids":[]`) {
		t.Error("an unbound agent's vault_ids:", r)
	}
}

func TestA7OptionalTellsAbsentNullAndValue(t *testing.T) {
	for body, want := range map[string]UpdateAgentRequest{
		`{}`:                         {},
		`{"tx_max_value_eth":null}`:  {TxMaxValueETH: Null[string]()},
		`{"tx_max_value_eth":"1"}`:   {TxMaxValueETH: Some("1")},
		`{"token_ttl_seconds":300}`:  {TokenTTLSeconds: Some[int32](300)},
		`{"scopes":[]}`:              {Scopes: []string{}},
		`{"shroud_config":{"a": 1}}`: {ShroudConfig: Some(Object(`{"a": 1}`))},
	} {
		var got UpdateAgentRequest
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", body, got)
		}
		if again := encode(t, got); strings.ReplaceAll(again, " ", "") != strings.ReplaceAll(body, " ", "") {
			t.Errorf("%s became %s", body, again)
		}
	}
}

func TestObjectIsOpaque(t *testing.T) {
	const raw = `{"n":12345678901234567890.10,"b":1,"a":2}`
	var o Object
	if err := json.Unmarshal([]byte(raw), &o); err != nil || encode(t, o) != raw {
		t.Errorf("%s %v", o, err)
	}
	for _, bad := range []string{`[]`, `1`, `"x"`, `true`} {
		if err := json.Unmarshal([]byte(bad), &o); err == nil {
			t.Errorf("%s is taken for an object", bad)
		}
	}
	if err := json.Unmarshal([]byte(`null`), &o); err != nil || o != nil {
		t.Errorf("null: %s %v", o, err)
	}
}

func TestT14Aliases(t *testing.T) {
	yes := true
	if s := (&PutSecretRequest{TypeAlias: "env"}).SecretType(); s != "env" {
		t.Error(s)
	}
	if s := (&PutSecretRequest{Type: "file", TypeAlias: "env"}).SecretType(); s != "file" {
		t.Error(s)
	}
	if s := (&CreatePolicyRequest{PatternAlias: "a"}).Pattern(); s != "a" {
		t.Error(s)
	}
	if (&CreateAgentRequest{CryptoProxyEnabled: &yes}).Intents() != &yes || (&UpdateAgentRequest{CryptoProxyEnabled: &yes}).Intents() != &yes {
		t.Error("crypto_proxy_enabled")
	}
}
