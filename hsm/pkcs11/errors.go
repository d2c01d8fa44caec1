//go:build cgo

package pkcs11

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// callError is a failed PKCS#11 call, for the log: "C_Sign: CKR_DEVICE_ERROR".
type callError struct {
	call string
	rv   p11.Error
}

func (e *callError) Error() string { return e.call + ": " + rvName(e.rv) }

func (e *callError) Unwrap() error { return e.rv }

// called remembers which call a raw error is from; nil stays nil, and an error
// that knows already stays as it is.
func called(call string, err error) error {
	var rv p11.Error
	var known *callError
	if errors.As(err, &known) || !errors.As(err, &rv) {
		return err
	}
	return &callError{call, rv}
}

// rvName is the CKR_ name of a return value, or its number if it has none.
func rvName(rv p11.Error) string {
	text := rv.Error() // "pkcs11: 0x30: CKR_DEVICE_ERROR"
	if i := strings.LastIndex(text, "CKR_"); i >= 0 && rv < p11.CKR_VENDOR_DEFINED {
		return text[i:]
	}
	return fmt.Sprintf("CKR 0x%X", uint(rv))
}

// rvAEADFailed is CKR_AEAD_DECRYPT_FAILED of PKCS#11 3.0.
const rvAEADFailed = p11.Error(0x42)

// sentinelOf says what a return value means to callers. What is not listed is
// a token that cannot be relied on any more: unknown and vendor-defined values
// are mostly a lost connection, and opening the token anew cures more than
// going on would.
func sentinelOf(rv p11.Error) *fault.Error {
	switch rv {
	case p11.CKR_PIN_LOCKED:
		return hsm.ErrWrongPIN.Detail("the HSM has locked the PIN after too many wrong tries; unlock it with the SO PIN")
	case p11.CKR_PIN_EXPIRED:
		return hsm.ErrWrongPIN.Detail("the HSM says the PIN has expired; set a new one")
	case p11.CKR_USER_PIN_NOT_INITIALIZED:
		return hsm.ErrWrongPIN.Detail("the token has no user PIN yet; set one with the vendor's tool")
	case p11.CKR_PIN_INCORRECT, p11.CKR_PIN_INVALID, p11.CKR_PIN_LEN_RANGE:
		return hsm.ErrWrongPIN
	case p11.CKR_DEVICE_MEMORY:
		return hsm.ErrFull
	case p11.CKR_MECHANISM_INVALID, p11.CKR_MECHANISM_PARAM_INVALID, p11.CKR_FUNCTION_NOT_SUPPORTED,
		p11.CKR_FUNCTION_REJECTED, p11.CKR_KEY_TYPE_INCONSISTENT, p11.CKR_KEY_FUNCTION_NOT_PERMITTED,
		p11.CKR_KEY_SIZE_RANGE, p11.CKR_KEY_NOT_WRAPPABLE, p11.CKR_KEY_UNEXTRACTABLE, p11.CKR_DOMAIN_PARAMS_INVALID,
		p11.CKR_CURVE_NOT_SUPPORTED, p11.CKR_ACTION_PROHIBITED,
		p11.CKR_TEMPLATE_INCOMPLETE, p11.CKR_TEMPLATE_INCONSISTENT, p11.CKR_ATTRIBUTE_READ_ONLY,
		p11.CKR_ATTRIBUTE_TYPE_INVALID, p11.CKR_ATTRIBUTE_VALUE_INVALID, p11.CKR_ATTRIBUTE_SENSITIVE,
		p11.CKR_WRAPPING_KEY_TYPE_INCONSISTENT, p11.CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT,
		p11.CKR_WRAPPING_KEY_SIZE_RANGE, p11.CKR_UNWRAPPING_KEY_SIZE_RANGE:
		return hsm.ErrUnsupported
	case p11.CKR_TOKEN_WRITE_PROTECTED, p11.CKR_SESSION_READ_ONLY:
		return hsm.ErrUnsupported.Detail("the token is write-protected")
	case p11.CKR_SESSION_COUNT:
		return hsm.ErrUnavailable.Detail("the HSM has no session free; close other programs that use it or lower the number of sessions")
	case p11.CKR_ENCRYPTED_DATA_INVALID, p11.CKR_ENCRYPTED_DATA_LEN_RANGE, p11.CKR_WRAPPED_KEY_INVALID,
		p11.CKR_WRAPPED_KEY_LEN_RANGE, rvAEADFailed:
		return hsm.ErrAuthentic
	}
	return hsm.ErrUnavailable
}

// failed turns an error of a PKCS#11 call into a sentinel that remembers the
// call. It returns nil for nil.
func failed(call string, err error) error {
	if err == nil {
		return nil
	}
	var rv p11.Error
	if !errors.As(err, &rv) {
		return hsm.ErrUnavailable.Because(fmt.Errorf("%s: %w", call, err))
	}
	return sentinelOf(rv).Because(called(call, err))
}

// isRV reports whether err is one of the return values.
func isRV(err error, values ...p11.Error) bool {
	var rv p11.Error
	return errors.As(err, &rv) && slices.Contains(values, rv)
}

// ambiguous reports whether a failure to open something may be the token's as
// well as the data's: SoftHSM answers CKR_GENERAL_ERROR to a wrong GCM tag and
// to a vanished token alike.
func ambiguous(err error) bool {
	return isRV(err, p11.CKR_GENERAL_ERROR, p11.CKR_FUNCTION_FAILED, p11.CKR_ARGUMENTS_BAD, p11.CKR_DATA_INVALID,
		p11.CKR_DATA_LEN_RANGE)
}
