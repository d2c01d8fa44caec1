// Package attest asks the processor what machine this is, and judges the answer.
//
// On AMD SEV-SNP the firmware signs a report: what was loaded at launch (the
// measurement), how new the firmware is (the TCB), what the guest's owner
// permitted (the guest policy), and 64 bytes that the guest chose. A Source gets
// that report with its certificates, as Evidence. Those 64 bytes are a Binding: a
// nonce of whoever asks, and the public keys that this appliance serves with, so
// that a report is neither an old one nor one about another machine's keys. A
// Policy, which the operator writes, appraises evidence: RFC 9334 calls who does
// so the verifier. The same code does it in the daemon and in a verifier's
// program, without a network.
//
// A guest that appraises its own report learns whether it is healthy. It proves
// nothing to itself: whoever changed the guest would have changed the check. Proof
// is what a remote verifier makes of the evidence, and what a key can do that the
// firmware derives for this image only (DerivedKey).
//
// The host is not trusted: its certificate table is parsed here and not by
// go-sev-guest, whose parser overflows on offsets that a host may choose. Of that
// library come the formats, the chain and the signature; its flags, which it puts
// into the program's flag set, are never set, and its throttle of two seconds
// between two calls is avoided by needing one. Its configfs provider is not used:
// asking it whether it is supported leaves an entry behind each time.
//
// The package knows nothing of HTTP, of keys of the HSM or of what is done with a
// verdict. It opens no connection: who wants certificates from AMD passes a Getter.
package attest
