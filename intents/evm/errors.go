package evm

import "github.com/oneclaw/oneclawd/internal/fault"

// What can be wrong with a value from outside. The message says what, and never
// repeats a key or a message to be signed.
var (
	ErrAddress     = fault.New(fault.Invalid, "invalid_address", "Not an address: 0x and 40 hex digits, with a right checksum if their case is mixed")
	ErrHash        = fault.New(fault.Invalid, "invalid_hash", "Not a hash: 0x and 64 hex digits")
	ErrAmount      = fault.New(fault.Invalid, "invalid_amount", "Not an amount")
	ErrOverflow    = fault.New(fault.Invalid, "amount_overflow", "An amount is beyond 256 bits")
	ErrTransaction = fault.New(fault.Invalid, "invalid_transaction", "Not a transaction that can be signed")
	ErrSignature   = fault.New(fault.Invalid, "invalid_signature", "Not a signature of this by that address")
	ErrKey         = fault.New(fault.Unprocessable, "invalid_signing_key", "Not a secp256k1 key: 64 hex digits, with or without 0x, in the range of the curve")
	ErrTypedData   = fault.New(fault.Invalid, "invalid_typed_data", "Not EIP-712 typed data")
	ErrCalldata    = fault.New(fault.Unprocessable, "malformed_calldata", "The call data is not what its method takes")
)
