package share

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors. The texts are published: clients show them and tests match them.
var (
	ErrNotFound     = fault.New(fault.NotFound, "share_not_found", "No such share")
	ErrExpired      = fault.New(fault.Gone, "share_expired", "This share has expired")
	ErrExhausted    = fault.New(fault.Gone, "share_exhausted", "This share has reached its maximum access count")
	ErrNotRecipient = fault.New(fault.Denied, "not_the_recipient", "Access denied: this share is for somebody else")
	ErrNotCreator   = fault.New(fault.Denied, "not_the_creator", "Access denied: only who made a share can revoke it")
	ErrNotAccepted  = fault.New(fault.Denied, "share_not_accepted", "Access denied: accept the share first")
	ErrAddress      = fault.New(fault.Denied, "share_address", "Access denied: this share does not open from your address")
	ErrNetwork      = fault.New(fault.Denied, "share_ip_denied", "Access denied: the IP rules of the organisation that shares this do not allow your address")
	ErrPassphrase   = fault.New(fault.Denied, "wrong_passphrase", "Access denied: this share needs its passphrase")
	ErrGuesses      = fault.New(fault.RateLimited, "too_many_guesses", "Too many wrong passphrases; wait before the next one")
	ErrLapsed       = fault.New(fault.Denied, "share_lapsed", "Access denied: whoever made this share may not read the secret now")
	ErrStranger     = fault.New(fault.Denied, "share_needs_token", "Access denied: a signing key is shown only to somebody who sends a token")

	ErrType         = fault.New(fault.Invalid, "invalid_recipient_type", "recipient_type must be user, agent, external_email, anyone_with_link or creator")
	ErrRecipient    = fault.New(fault.Invalid, "unknown_recipient", "recipient_id is nobody of this organisation")
	ErrNoCreator    = fault.New(fault.Invalid, "no_creator", "Only agents share with their creator, and this one has none")
	ErrExpiryPast   = fault.New(fault.Invalid, "expiry_in_past", "expires_at must lie in the future")
	ErrMaxAccess    = fault.New(fault.Invalid, "invalid_max_access_count", "max_access_count must be at least 1")
	ErrNoPassphrase = fault.New(fault.Invalid, "invalid_passphrase", "A passphrase has 1 to 1024 bytes; leave it out to have none")
	ErrTooMany      = fault.New(fault.RateLimited, "share_limit", "Too many shares were made in this organisation; at most 10 a minute")
	ErrUndecided    = fault.New(fault.Conflict, "share_contended", "What you may share changed meanwhile; try again")
	ErrPending      = fault.New(fault.Conflict, "too_many_pending_shares", "Too many shares wait for this address")
)
