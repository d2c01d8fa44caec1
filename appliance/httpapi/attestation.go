package httpapi

import (
	"context"
	"encoding/hex"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// Attestor shows what machine the appliance runs on, in answer to a nonce.
type Attestor interface {
	Evidence(ctx context.Context, nonce [32]byte) (evidenceJSON []byte, err error)
}

// unattested is what an appliance says of itself that has no Attestor.
const unattested = "this appliance runs with attest.mode none: it can show nothing of its machine and image"

var errNonce = fault.New(fault.Invalid, "invalid_nonce", "nonce is 32 bytes that you drew, as 64 hexadecimal digits")

func (s *Server) attestationRoutes() []route {
	return []route{
		handle(get, "/v1/attestation", "getAttestation", s.attestation, guessable, doc("Health", "Show what machine and image this is")),
		handle(get, "/v1/shroud/attestation", "getShroudAttestation", s.attestation, guessable, doc("Health", "The same, as clients of Shroud ask")),
	}
}

type attestationInput struct {
	Nonce string `query:"nonce" maxLength:"64" doc:"32 bytes of the caller's choosing, in hexadecimal: evidence over them is fresh"`
}

func (s *Server) attestation(ctx context.Context, in *attestationInput) (*reply[api.AttestationResponse], error) {
	if s.attestor == nil {
		return answer(api.AttestationResponse{Reason: unattested})
	}
	var nonce [32]byte
	if n, err := hex.Decode(nonce[:], []byte(in.Nonce)); err != nil || n != len(nonce) {
		return nil, errNonce
	}
	evidence, err := s.attestor.Evidence(ctx, nonce)
	if err != nil {
		return nil, err
	}
	return answer(api.AttestationResponse{Attested: true, Evidence: evidence})
}
