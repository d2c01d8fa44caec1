package agents

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
)

// identityKeys are an agent's two key pairs in the published encodings:
// standard base64 of the raw Ed25519 public key (32 bytes) and seed (32
// bytes), and of the uncompressed P-256 point (65 bytes, SEC 1) and scalar (32
// bytes).
type identityKeys struct {
	agent                   id.ID
	ssh, ecdh               string
	sshPrivate, ecdhPrivate plain.Bytes
	sshPath, ecdhPath       vault.SecretPath
}

func newIdentityKeys(agent id.ID) identityKeys {
	sshPub, sshPriv, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	p256, err := ecdh.P256().GenerateKey(rand.Reader)
	must(err)
	k := identityKeys{
		agent:       agent,
		ssh:         base64.StdEncoding.EncodeToString(sshPub),
		ecdh:        base64.StdEncoding.EncodeToString(p256.PublicKey().Bytes()),
		sshPrivate:  encode(sshPriv.Seed()),
		ecdhPrivate: encode(p256.Bytes()),
	}
	k.sshPath, err = vault.ParseSecretPath("agents/" + agent.String() + "/ssh/private_key")
	must(err)
	k.ecdhPath, err = vault.ParseSecretPath("agents/" + agent.String() + "/ecdh/private_key")
	must(err)
	clear(sshPriv)
	return k
}

func encode(raw []byte) plain.Bytes {
	out := make([]byte, base64.StdEncoding.EncodedLen(len(raw)))
	base64.StdEncoding.Encode(out, raw)
	clear(raw)
	return plain.New(out)
}

func (k identityKeys) wipe() {
	k.sshPrivate.Wipe()
	k.ecdhPrivate.Wipe()
}

// must is for what cannot fail: crypto/rand never does, and the paths are ours.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
