package api

import "encoding/json"

// AttestationResponse is what the appliance can show of its machine.
type AttestationResponse struct {
	Attested bool   `json:"attested" doc:"Whether the keys were opened on a machine that was appraised"`
	Reason   string `json:"reason,omitempty" doc:"Why it is not attested"`
	// Evidence has report (base64), certificates (base64 of DER), nonce,
	// tls_key_sha256 and jwt_key_sha256 (hexadecimal), and format.
	Evidence json.RawMessage `json:"evidence,omitempty" doc:"A report over the nonce and the keys of the listener and of tokens, with its certificates; docs/attestation.md"`
}
