package intents

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors. The texts are published: clients show them and tests match them.
var (
	ErrDenied        = fault.New(fault.Denied, "access_denied", "Access denied")
	ErrNotEnabled    = fault.New(fault.Denied, "intents_not_enabled", "Access denied: the Intents API is not enabled for this agent")
	ErrOtherAgent    = fault.New(fault.Denied, "not_this_agent", "Access denied: an agent acts for itself only")
	ErrAgentNotFound = fault.New(fault.NotFound, "agent_not_found", "No such agent")
	ErrAgentInactive = fault.New(fault.Denied, "agent_inactive", "Access denied: the agent is not active")

	ErrChain         = fault.New(fault.Invalid, "invalid_chain", "Not a valid chain")
	ErrUnknownChain  = fault.New(fault.Invalid, "unknown_chain", "Unknown or disabled chain")
	ErrChainNotFound = fault.New(fault.NotFound, "chain_not_found", "No such chain")
	ErrChainExists   = fault.New(fault.Conflict, "chain_exists", "A chain of this name or chain id is registered already")
	ErrChainInUse    = fault.New(fault.Conflict, "chain_in_use", "Transactions on this chain are not settled yet")
	ErrTooManyChains = fault.New(fault.Conflict, "too_many_chains", "The registry is full")

	ErrRequest    = fault.New(fault.Invalid, "invalid_transaction", "Not a valid transaction")
	ErrFees       = fault.New(fault.Invalid, "fees_needed", "The chain has no node to ask: give max_fee_per_gas and max_priority_fee_per_gas, or gas_price")
	ErrGas        = fault.New(fault.Invalid, "gas_needed", "The chain has no node to estimate with: give gas_limit")
	ErrFeeCap     = fault.New(fault.Denied, "fee_cap", "Access denied: the fee per gas is above the cap of this appliance")
	ErrBadKey     = fault.New(fault.Invalid, "invalid_signing_key", "What is at signing_key_path is not a secp256k1 private key in hex")
	ErrKeyChanged = fault.New(fault.Conflict, "signing_key_changed", "The signing key was changed while the transaction was prepared; try again")
	ErrLimits     = fault.New(fault.Invalid, "invalid_guardrails", "tx_per_day must not be negative; allowed_methods and token_limits may have 100 entries each, and a token limit needs a chain_id, a token and a max_amount or daily_limit")
	ErrNonceTaken = fault.New(fault.Conflict, "nonce_in_use", "Another transaction of this account has that nonce")
	ErrNonceUsed  = fault.New(fault.Invalid, "nonce_too_low", "The chain has a transaction with that nonce already")
	ErrNonceGap   = fault.New(fault.Invalid, "nonce_too_high", "That nonce is too far ahead of the account's next one")

	ErrInFlight         = fault.New(fault.Conflict, "idempotency_in_flight", "A request with this Idempotency-Key is still being worked on; try again in a moment")
	ErrKeyReused        = fault.New(fault.Conflict, "idempotency_key_reused", "This Idempotency-Key was used for another transaction")
	ErrBadIdemKey       = fault.New(fault.Invalid, "invalid_idempotency_key", "An Idempotency-Key has 1 to 255 visible ASCII characters")
	ErrNotFound         = fault.New(fault.NotFound, "transaction_not_found", "No such transaction")
	ErrWouldRevert      = fault.New(fault.Unprocessable, "simulation_failed", "The transaction would revert")
	ErrNodeDown         = fault.New(fault.Unavailable, "chain_unavailable", "No node of the chain answers; try again later")
	ErrInterrupted      = fault.New(fault.Unavailable, "signing_failed", "The transaction could not be signed; nothing was sent")
	ErrNotOpen          = fault.New(fault.Conflict, "transaction_settled", "The transaction is settled: it can be neither sped up nor cancelled")
	ErrApprovalNotFound = fault.New(fault.NotFound, "approval_not_found", "No such approval")
	ErrOwnApproval      = fault.New(fault.Denied, "own_approval", "Access denied: who asked does not decide")
	ErrDecided          = fault.New(fault.Conflict, "approval_decided", "This approval is decided already")
	ErrVoted            = fault.New(fault.Conflict, "already_approved", "You have agreed to this already; others have to as well")
	ErrManyInFlight     = fault.New(fault.Conflict, "too_many_in_flight", "The account has too many transactions that are not settled yet")
)

// Refusals by a guardrail. The code names the rule.
var (
	ErrFrozen        = fault.New(fault.Denied, "signing_frozen", "Access denied: signing is frozen in this organisation")
	ErrChainRule     = fault.New(fault.Denied, "tx_allowed_chains", "Access denied by tx_allowed_chains")
	ErrRecipient     = fault.New(fault.Denied, "tx_to_allowlist", "Access denied by tx_to_allowlist")
	ErrMaxValue      = fault.New(fault.Denied, "tx_max_value_eth", "Access denied by tx_max_value_eth")
	ErrDailyLimit    = fault.New(fault.Denied, "tx_daily_limit_eth", "Access denied by tx_daily_limit_eth")
	ErrTxPerDay      = fault.New(fault.Denied, "tx_per_day", "Access denied by tx_per_day")
	ErrMethod        = fault.New(fault.Denied, "allowed_methods", "Access denied by allowed_methods")
	ErrTokenLimit    = fault.New(fault.Denied, "token_limits", "Access denied by token_limits")
	ErrUnlimited     = fault.New(fault.Denied, "unlimited_approval", "Access denied: unlimited approvals are not allowed")
	ErrMessage       = fault.New(fault.Invalid, "invalid_message", "Not a message that can be signed")
	ErrMessageType   = fault.New(fault.Denied, "message_type", "Access denied: the agent may not sign messages of this type")
	ErrRawDigest     = fault.New(fault.Denied, "raw_digests", "Access denied: the agent may not sign digests, of which nobody can tell what they mean")
	ErrDomain        = fault.New(fault.Denied, "allowed_domains", "Access denied by allowed_domains")
	ErrNeedsPeople   = fault.New(fault.Denied, "approval_required", "Access denied: people have to agree to this, and they agree to transactions that are submitted, not to signatures")
	ErrUndecodable   = fault.New(fault.Denied, "undecodable_call", "Access denied: the call data is damaged, so what it does cannot be held against the guardrails")
	ErrBadGuardrails = fault.New(fault.Denied, "guardrails_unreadable", "Access denied: a guardrail of this agent cannot be read; its owner has to set it again")
)
