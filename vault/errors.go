package vault

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors. The texts are published: clients show them and tests match them.
var (
	ErrVaultNotFound   = fault.New(fault.NotFound, "vault_not_found", "No such vault")
	ErrVaultName       = fault.New(fault.Invalid, "invalid_vault_name", "A vault needs a name of 1 to 255 characters")
	ErrDescription     = fault.New(fault.Invalid, "invalid_description", "A description may have at most 4096 bytes")
	ErrReservedName    = fault.New(fault.Invalid, "reserved_vault_name", "Vault names that begin with __ are reserved")
	ErrDenied          = fault.New(fault.Denied, "access_denied", "Access denied")
	ErrSecretNotFound  = fault.New(fault.NotFound, "secret_not_found", "No such secret")
	ErrSecretDeleted   = fault.New(fault.Gone, "secret_deleted", "This secret has been deleted")
	ErrSecretExpired   = fault.New(fault.Gone, "secret_expired", "This secret has expired")
	ErrSecretExhausted = fault.New(fault.Gone, "secret_exhausted", "This secret has reached its maximum access count")
	ErrVersionDisabled = fault.New(fault.Gone, "version_disabled", "This version has been disabled")
	ErrSigningKey      = fault.New(fault.Denied, "signing_key_protected", "Access denied: agents of the Intents API sign with this key and cannot read it")
	ErrPath            = fault.New(fault.Invalid, "invalid_secret_path", "Not a valid secret path: use letters, digits, '-', '_' and '/', beginning and ending with a letter or digit")
	ErrType            = fault.New(fault.Invalid, "invalid_secret_type", "Unknown secret type")
	ErrNoSigningKey    = fault.New(fault.Denied, "signing_key_denied", "Access denied: no policy lets this agent use such a signing key, or there is none")
	ErrNotSigningKey   = fault.New(fault.Invalid, "not_a_signing_key", "What is at signing_key_path is not of type private_key, or has a max_access_count, or is encrypted with a customer's key")
	ErrExpiryPast      = fault.New(fault.Invalid, "expiry_in_past", "expires_at must lie in the future")
	ErrMaxAccess       = fault.New(fault.Invalid, "invalid_max_access_count", "max_access_count must be at least 1")
	ErrValueTooLarge   = fault.New(fault.TooLarge, "secret_too_large", "A secret value may have at most 5 MB")
	ErrMetadata        = fault.New(fault.Invalid, "invalid_metadata", "metadata and rotation_policy must be JSON objects of at most 64 KiB")
	ErrRotation        = fault.New(fault.Invalid, "invalid_rotation", "length must be 8 to 1024, charset one of alphanumeric, hex, base64url, digits, printable")
	ErrContended       = fault.New(fault.Conflict, "write_contended", "The secret is being written by others; try again")
	ErrPolicyNotFound  = fault.New(fault.NotFound, "policy_not_found", "No such policy")
	ErrKEKModule       = fault.New(fault.Invalid, "unknown_hsm_module", "No HSM module of that name is configured")
	ErrKEKsUnfinished  = fault.New(fault.Conflict, "kek_rotations_unfinished", "The vault has too many older KEKs that values are under; finish with `oneclawd kek rewrap` first")
	ErrOrgNotFound     = fault.New(fault.NotFound, "organisation_not_found", "No such organisation")
	ErrPrincipal       = fault.New(fault.Invalid, "unknown_principal", "principal_id is nobody of this organisation")
)
