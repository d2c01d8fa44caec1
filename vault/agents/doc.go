// Package agents registers agents and manages them: the record, the ocv_ key
// that is shown once, and the identity keys (Ed25519 and P-256) whose private
// halves go to the organisation's __agent-keys vault. Whatever belongs
// together changes in one transaction.
//
// People manage agents; an agent may look at itself. How an agent proves who
// it is belongs to vault/identity, what it may read to vault/policy.
package agents
