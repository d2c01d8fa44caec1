package oidc

import (
	"encoding/json"
	"errors"

	"github.com/golang-jwt/jwt/v5"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// claims are those of a token that are looked at.
type claims struct {
	jwt.RegisteredClaims

	ClientID        string `json:"client_id"`
	AuthorizedParty string `json:"azp"`

	Email         string `json:"email"`
	EmailVerified flag   `json:"email_verified"`
	Name          string `json:"name"`

	AuthTime     json.RawMessage `json:"auth_time"` // a person signed in
	Nonce        json.RawMessage `json:"nonce"`     // likewise
	Confirmation json.RawMessage `json:"cnf"`       // RFC 7800: good only with a key
}

// looked are the names of those claims.
var looked = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "azp", "email", "email_verified", "name", "auth_time", "nonce", "cnf",
}

// UnmarshalJSON implements json.Unmarshaler. Names of claims have one spelling;
// by itself encoding/json would take EMAIL for email.
func (c *claims) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	exact := make(map[string]json.RawMessage, len(looked))
	for _, name := range looked {
		if raw, there := all[name]; there {
			exact[name] = raw
		}
	}
	b, err := json.Marshal(exact)
	if err != nil {
		return err
	}
	type plain claims
	return json.Unmarshal(b, (*plain)(c))
}

// flag is a truth that some issuers write as a text.
type flag bool

// UnmarshalJSON implements json.Unmarshaler. What is neither is false.
func (f *flag) UnmarshalJSON(b []byte) error {
	*f = string(b) == "true" || string(b) == `"true"`
	return nil
}

// explain turns an error of the parser into one of ours.
func explain(t *jwt.Token, c *claims, err error) error {
	if f := fault.As(err); f != nil {
		return f
	}
	for _, e := range []struct {
		is   error
		ours *fault.Error
	}{
		{jwt.ErrTokenMalformed, ErrMalformed},
		{jwt.ErrTokenUnverifiable, ErrAlgorithm}, // one that nobody knows
		{jwt.ErrTokenSignatureInvalid, ErrSignature},
		{jwt.ErrTokenInvalidAudience, ErrAudience},
		{jwt.ErrTokenExpired, ErrEnded},
		{jwt.ErrTokenRequiredClaimMissing, ErrEnded}, // exp is the one
		{jwt.ErrTokenNotValidYet, ErrTooEarly},
		{jwt.ErrTokenUsedBeforeIssued, ErrTooEarly},
	} {
		if !errors.Is(err, e.is) {
			continue
		}
		if e.ours == ErrEnded && len(c.Audience) == 0 {
			return ErrAudience
		}
		if e.ours == ErrSignature && t != nil && t.Method != nil && !contains(algorithms, t.Method.Alg()) {
			return ErrAlgorithm
		}
		return e.ours
	}
	return ErrMalformed
}
