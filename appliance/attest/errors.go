package attest

import "github.com/oneclaw/oneclawd/internal/fault"

// ErrUnsupported: neither configfs-tsm nor /dev/sev-guest is here.
var ErrUnsupported = fault.New(fault.Unavailable, "attest_unsupported",
	"this machine offers no SEV-SNP reports: it is no SNP guest, or its kernel lacks the driver sev-guest (Linux 5.19) or tsm (6.7)")

// ErrNoDerivedKeys: the firmware's key derivation cannot be reached. Configfs-tsm
// has none, so that /dev/sev-guest is needed even where reports come from there.
var ErrNoDerivedKeys = fault.New(fault.Unavailable, "attest_no_derived_keys",
	"this machine derives no keys: /dev/sev-guest is not there or may not be opened")

// What a source could not do.
var (
	errDevice = fault.New(fault.Unavailable, "attest_device", "the SEV-SNP firmware gave no report")
	errTable  = fault.New(fault.Invalid, "attest_certificate_table",
		"the host's certificate table is malformed; have the host's operator renew it, or give the certificates in a bundle file")
	errBundle = fault.New(fault.Invalid, "attest_bundle", "the certificate bundle is not PEM with certificates of AMD's form")
	errKey    = fault.New(fault.Unavailable, "attest_derived_key", "the SEV-SNP firmware derived no key for this request")
	errFetch  = fault.New(fault.Unavailable, "attest_fetch", "the VCEK could not be fetched")
)

// What is wrong with a policy file.
var (
	errPolicy         = fault.New(fault.Invalid, "attest_policy", "the appraisal policy is not valid")
	errNoMeasurements = fault.New(fault.Invalid, "attest_no_measurements",
		"the appraisal policy lists no measurement: nothing would be checked; list those of the images that may run")
)

// What is wrong with evidence that was given.
var (
	errMalformed = fault.New(fault.Invalid, "attest_malformed", "the evidence is malformed")
	errMissing   = fault.New(fault.Denied, "attest_certificates_missing",
		"the evidence has no certificate of the key that signed the report; have the host provide it, or give it in a bundle file")
	errChain = fault.New(fault.Denied, "attest_chain",
		"the certificate of the report's key was not issued by a root that is trusted")
	errExpired   = fault.New(fault.Denied, "attest_certificate_expired", "a certificate is not valid at this time")
	errCRL       = fault.New(fault.Denied, "attest_crl_unavailable", "no revocation list of this product line's root is at hand")
	errCRLStale  = fault.New(fault.Denied, "attest_crl_stale", "the revocation list is out of date; fetch the present one from AMD")
	errRevoked   = fault.New(fault.Denied, "attest_revoked", "AMD revoked the key that certified this chip's key")
	errSignature = fault.New(fault.Denied, "attest_signature",
		"the report's signature is not of the certified key: the report was changed, or the certificate is of another chip or TCB")
	errChip = fault.New(fault.Denied, "attest_chip", "the report is of another chip than its certificate, or of one that is not listed")
	errLine = fault.New(fault.Denied, "attest_product", "the processor's product line is not accepted")
)

// What the report says that the binding or the policy does not accept.
var (
	errNonce  = fault.New(fault.Denied, "attest_nonce", "the evidence answers another nonce: it is old, or for somebody else")
	errTLSKey = fault.New(fault.Denied, "attest_tls_key",
		"the evidence is about another TLS key than the connection's: somebody is in between, or the certificate changed since")
	errJWTKey      = fault.New(fault.Denied, "attest_jwt_key", "the evidence is about another key for tokens than the one expected")
	errReportData  = fault.New(fault.Denied, "attest_report_data", "the report was not made for the nonce and keys that the evidence names")
	errMeasurement = fault.New(fault.Denied, "attest_measurement", "the image that was launched is not one of those the policy lists")
	errTCB         = fault.New(fault.Denied, "attest_tcb", "the firmware is older than the policy's floor; have the host updated")
	errLaunchTCB   = fault.New(fault.Denied, "attest_launch_tcb",
		"the machine was launched under older firmware than the policy's floor; start it anew on the updated host")
	errDebug       = fault.New(fault.Denied, "attest_debug", "the guest may be debugged: the host can read its memory; launch it without the debug bit")
	errMigration   = fault.New(fault.Denied, "attest_migration_agent", "the guest may have a migration agent; launch it without, or allow it in the policy")
	errGuestPolicy = fault.New(fault.Denied, "attest_guest_policy", "the guest's launch policy permits what the appraisal policy does not")
	errVMPL        = fault.New(fault.Denied, "attest_vmpl", "the report is of another privilege level than the policy's")
	errHostData    = fault.New(fault.Denied, "attest_host_data", "the host's launch data is not what the policy says")
	errIdentity    = fault.New(fault.Denied, "attest_identity", "the launch identity is not what the policy says")
	errFirmware    = fault.New(fault.Denied, "attest_firmware", "the SEV-SNP firmware's version is not what the policy demands; have the host updated")
	errRefused     = fault.New(fault.Denied, "attest_refused", "the report was refused")
)
