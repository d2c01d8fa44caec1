package people

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors. The texts are shown to people.
var (
	ErrSignupClosed = fault.New(fault.Denied, "signup_closed", "Nobody can sign up here without an invitation")
	ErrClosed       = fault.New(fault.Denied, "invitations_closed", "Nobody can join here at present")
	ErrSlowDown     = fault.New(fault.RateLimited, "too_many_attempts", "Too many attempts; wait before the next one")
	ErrTicket       = fault.New(fault.Invalid, "invalid_or_expired_token", "This link is not valid, was used already, or has expired")
	ErrPassword     = fault.New(fault.Invalid, "wrong_password", "The password is wrong")
	ErrConfirm      = fault.New(fault.Invalid, "not_confirmed", "To delete your account, confirm with its e-mail address or DELETE")
	ErrName         = fault.New(fault.Invalid, "invalid_display_name", "A display name has at most 255 characters and no control characters")
	ErrLastOwner    = fault.New(fault.Conflict, "last_owner", "The last owner cannot leave or change roles: make somebody else an owner first")

	ErrMFACode    = fault.New(fault.Unauthenticated, "invalid_mfa_code", "Invalid code, or the sign-in has expired")
	ErrMFASetup   = fault.New(fault.Invalid, "invalid_mfa_code", "The code is wrong, or there is nothing to confirm")
	ErrMFAOn      = fault.New(fault.Conflict, "mfa_already_enabled", "Two-factor authentication is on; switch it off first")
	ErrMFAOff     = fault.New(fault.Invalid, "mfa_not_enabled", "Two-factor authentication is off")
	ErrReenter    = fault.New(fault.Denied, "wrong_password", "Access denied: that is not your password")
	ErrMFADisable = fault.New(fault.Invalid, "invalid_mfa_code", "A current code or the password is needed to switch two-factor authentication off")

	ErrNoDevice      = fault.New(fault.NotFound, "device_code_not_found", "No such code")
	ErrDeviceExpired = fault.New(fault.Gone, "device_code_expired", "The code has expired; start again on the device")
	ErrDeviceDecided = fault.New(fault.Conflict, "device_code_decided", "This code was approved or denied already")

	ErrNoMember       = fault.New(fault.NotFound, "member_not_found", "No such member")
	ErrNoInvitation   = fault.New(fault.NotFound, "invitation_not_found", "No such invitation")
	ErrRole           = fault.New(fault.Invalid, "invalid_role", "role must be owner, admin or member")
	ErrAlreadyMember  = fault.New(fault.Conflict, "already_member", "This person is a member already")
	ErrOtherOrg       = fault.New(fault.Conflict, "account_elsewhere", "This address has an account in another organisation, and an account belongs to one: delete that account first, or ask for an invitation to another address")
	ErrSelf           = fault.New(fault.Invalid, "own_account", "To delete your own account use DELETE /v1/auth/me")
	ErrNoAgentKeys    = fault.New(fault.NotFound, "no_agent_keys_vault", "The organisation has no agents yet, and so no vault for their keys")
	ErrContended      = fault.New(fault.Conflict, "write_contended", "The organisation is being changed by others; try again")
	ErrManyInvitation = fault.New(fault.RateLimited, "too_many_invitations", "Too many invitations; wait before the next one")
)
