package identity

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
)

var errCertTime = fault.New(fault.Unauthenticated, "certificate_not_current", "the certificate is not valid yet, or not any more")

// Fingerprint is how a certificate is pinned: the SHA-256 of its DER, in hex.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

func (s *Service) certClaim(fingerprint string) []byte {
	return s.HashKey(compound("certificate", fingerprint))
}

// ExchangeCertificate sells a JWT for a client certificate whose key the peer
// has shown to hold, as a TLS handshake does. Who signed the certificate does
// not matter: it is pinned, so it may be self-signed; its own period of validity
// holds. The agent's id may be left zero.
func (s *Service) ExchangeCertificate(ctx context.Context, agent id.ID, cert *x509.Certificate, peer Peer) (AgentToken, error) {
	pin, now := Fingerprint(cert), s.Now()
	return s.exchange(ctx, peer, AuthMTLS, func(tx Tx) (Agent, error) {
		a, err := byClaim(tx, s.certClaim(pin), agent)
		switch {
		case err != nil:
			return a, err
		case a.CertFingerprint != pin:
			return a, ErrCredentials.Because(errUnknownProof)
		case now.Before(cert.NotBefore) || now.After(cert.NotAfter):
			return a, ErrCredentials.Because(errCertTime)
		}
		return a, nil
	})
}
