package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
)

// algorithms are the signatures that are taken at all.
var algorithms = slices.Concat(rsaAlgorithms, []string{"ES256", "ES384", "ES512", "EdDSA"})

var rsaAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}

// key is a public key of an issuer and the signatures that it is for.
type key struct {
	id         string
	public     crypto.PublicKey
	algorithms []string
}

// jwk is a key as RFC 7517 and RFC 7518 write it.
type jwk struct {
	Type      string `json:"kty"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Curve     string `json:"crv"`
	N         string `json:"n"`
	E         string `json:"e"`
	X         string `json:"x"`
	Y         string `json:"y"`
}

// maxKeys bounds how many keys of one issuer a token without a key's id is held
// against.
const maxKeys = 64

// parseKeys reads a JWK set. Keys of other kinds and for other uses are passed
// over; there has to be one that is left.
func parseKeys(text []byte) ([]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("not a JWK set")
	}
	var out []key
	for _, raw := range set.Keys {
		var j jwk
		if json.Unmarshal(raw, &j) != nil || j.Use != "" && j.Use != "sig" {
			continue
		}
		k, ok := j.key()
		if ok && j.Algorithm != "" {
			ok = contains(k.algorithms, j.Algorithm)
			k.algorithms = []string{j.Algorithm}
		}
		if ok && len(out) < maxKeys {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("a JWK set without a key for signatures")
	}
	return out, nil
}

func (j jwk) key() (key, bool) {
	switch j.Type {
	case "RSA":
		return j.rsa()
	case "EC":
		return j.ec()
	case "OKP":
		x, err := base64.RawURLEncoding.DecodeString(j.X)
		return key{j.ID, ed25519.PublicKey(x), []string{"EdDSA"}}, err == nil && j.Curve == "Ed25519" && len(x) == ed25519.PublicKeySize
	}
	return key{}, false
}

func (j jwk) rsa() (key, bool) {
	n, err1 := base64.RawURLEncoding.DecodeString(j.N)
	e, err2 := base64.RawURLEncoding.DecodeString(j.E)
	if err1 != nil || err2 != nil || len(e) == 0 || len(e) > 4 {
		return key{}, false
	}
	pub := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	bits := pub.N.BitLen()
	ok := bits >= 2048 && bits <= 8192 && pub.E >= 3 && pub.E < 1<<31 && pub.E%2 == 1
	return key{j.ID, pub, rsaAlgorithms}, ok
}

func (j jwk) ec() (key, bool) {
	curve, alg := elliptic.Curve(nil), ""
	switch j.Curve {
	case "P-256":
		curve, alg = elliptic.P256(), "ES256"
	case "P-384":
		curve, alg = elliptic.P384(), "ES384"
	case "P-521":
		curve, alg = elliptic.P521(), "ES512"
	default:
		return key{}, false
	}
	x, err1 := base64.RawURLEncoding.DecodeString(j.X)
	y, err2 := base64.RawURLEncoding.DecodeString(j.Y)
	if err1 != nil || err2 != nil {
		return key{}, false
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y)) // on the curve or an error
	return key{j.ID, pub, []string{alg}}, err == nil
}
