package audit

// Action names what was attempted.
type Action string

// The actions. The names are part of the API: clients filter by them.
const (
	SecretRead    Action = "secret.read"
	SecretWrite   Action = "secret.write"
	SecretDelete  Action = "secret.delete"
	SecretList    Action = "secret.list"
	SecretRotate  Action = "secret.rotate"
	SecretDisable Action = "secret.disable_version"
	// Values were about to leave in a request to a host that they may go to, or were
	// refused to; and what came of it. Both events name the execution.
	SecretUse  Action = "secret.use"
	SecretUsed Action = "secret.used"
	UseHistory Action = "secret.use.list" // recorded where it is refused

	AuthSuccess Action = "auth.success"
	AuthFailure Action = "auth.failure"
	AuthRevoke  Action = "auth.revoke"

	// KEKRotate: a vault got another KEK. KEKRewrap: nothing, or only what is
	// damaged, is left under those before. KEKAssign: an operator said which module
	// keeps those of an organisation's new vaults.
	KEKRotate Action = "kek.rotate"
	KEKRewrap Action = "kek.rewrap"
	KEKAssign Action = "kek.assign"
	// KEKRecover: a vault got other KEKs in the places of those that were lost with
	// the HSM.
	KEKRecover Action = "kek.recover"
	// KEKVerify: an operator had every data key unwrapped, to see that it can be.
	KEKVerify Action = "kek.verify"

	PolicyCreate Action = "policy.create"
	PolicyUpdate Action = "policy.update"
	PolicyDelete Action = "policy.delete"
	PolicyList   Action = "policy.list"

	VaultCreate Action = "vault.create"
	VaultRead   Action = "vault.read"
	VaultDelete Action = "vault.delete"

	AgentRegister     Action = "agent.register"
	AgentEnroll       Action = "agent.enroll"
	AgentRead         Action = "agent.read"
	AgentUpdate       Action = "agent.update"
	AgentRotateKey    Action = "agent.rotate_key"
	AgentRotateIDKeys Action = "agent.rotate_identity_keys"
	AgentDeactivate   Action = "agent.deactivate"
	// An agent is shown the values that it may read, or none any more.
	AgentDeliverValues  Action = "agent.deliver_values"
	AgentDeliverHandles Action = "agent.deliver_handles"

	BindingCreate Action = "binding.create"
	BindingRead   Action = "binding.read" // recorded where it is refused
	BindingUpdate Action = "binding.update"
	BindingDelete Action = "binding.delete"
	BindingTest   Action = "binding.test"

	UserCreate   Action = "user.create"
	UserRead     Action = "user.read"
	UserSignup   Action = "user.signup"
	UserVerify   Action = "user.verify"
	UserUpdate   Action = "user.update"
	UserDelete   Action = "user.delete"
	APIKeyCreate Action = "api_key.create"
	APIKeyList   Action = "api_key.list"
	APIKeyRevoke Action = "api_key.revoke"

	PasswordChange Action = "password.change"
	PasswordReset  Action = "password.reset"
	PasswordForgot Action = "password.forgot"
	MFAEnable      Action = "mfa.enable"
	MFADisable     Action = "mfa.disable"
	MFAVerify      Action = "mfa.verify"
	DeviceApprove  Action = "device.approve"
	DeviceDeny     Action = "device.deny"

	MemberInvite Action = "member.invite"
	MemberJoin   Action = "member.join"
	MemberUpdate Action = "member.update"
	MemberRemove Action = "member.remove"

	ShareCreate  Action = "share.create"
	ShareRead    Action = "share.read"
	ShareAccess  Action = "share.access"
	ShareAccept  Action = "share.accept"
	ShareDecline Action = "share.decline"
	ShareRevoke  Action = "share.revoke"
	ShareClaim   Action = "share.claim"

	// A transaction was asked for and admitted or refused; signed; shown to a node;
	// found to be in the chain for good, or never to get there.
	TransactionSubmit    Action = "transaction.submit"
	TransactionSign      Action = "transaction.sign"
	TransactionBroadcast Action = "transaction.broadcast"
	TransactionSettle    Action = "transaction.settle"
	TransactionReplace   Action = "transaction.replace"  // signed once more with its nonce
	TransactionExplain   Action = "transaction.explain"  // recorded where it is refused
	TransactionSimulate  Action = "transaction.simulate" // the same
	MessageSign          Action = "message.sign"
	TransactionRead      Action = "transaction.read"

	SigningKeyCreate     Action = "signing_key.create"
	SigningKeyRotate     Action = "signing_key.rotate"
	SigningKeyImport     Action = "signing_key.import"
	SigningKeyDeactivate Action = "signing_key.deactivate"

	// People were asked whether an agent may, and answered.
	ApprovalRequest Action = "approval.request"
	ApprovalApprove Action = "approval.approve"
	ApprovalDeny    Action = "approval.deny"

	ChainCreate Action = "chain.create"
	ChainUpdate Action = "chain.update"
	ChainDelete Action = "chain.delete"
	ChainRead   Action = "chain.read"

	SigningFreeze Action = "signing.freeze"
	SigningThaw   Action = "signing.thaw"

	// ShroudManifest: the values that an agent may read were opened, to keep them out
	// of its conversations. ShroudRequest: a conversation was refused, or something in
	// it was found worth recording.
	ShroudManifest Action = "shroud.manifest"
	ShroudRequest  Action = "shroud.request"
	// ForwardRequest: a request through the forward proxy that used no secret, or was
	// refused before one was looked for; those that do are secret.use and secret.used.
	// ForwardCA: a CA was made, which clients of the forward proxy have to trust.
	ForwardRequest Action = "forward.request"
	ForwardCA      Action = "forward.ca"
	// ShroudOpen: somebody looked at one call of a model, and its request if it is kept.
	ShroudOpen Action = "shroud.open"

	// The prices that calls of models are charged by were replaced, or could not be looked at.
	LLMPricesUpdate Action = "llm_prices.update"
	LLMPricesRead   Action = "llm_prices.read"

	AuditExport Action = "audit.export"

	ApplianceInit  Action = "appliance.init"
	ApplianceStart Action = "appliance.start"
	ApplianceStop  Action = "appliance.stop"
	// An operator opened the keys, or had the appliance let go of them.
	// What machine the keys were opened on, as it was attested.
	ApplianceAttest Action = "appliance.attest"
	ApplianceUnseal Action = "appliance.unseal"
	ApplianceSeal   Action = "appliance.seal"
	// ApplianceBackup: the state was copied, ApplianceDrill: a copy was restored
	// on trial.
	ApplianceBackup Action = "appliance.backup"
	ApplianceDrill  Action = "appliance.drill"
	// ApplianceUpgrade: a newer oneclawd brought the data to its schema.
	ApplianceUpgrade Action = "appliance.upgrade"
	// ApplianceRecover: the HSM is another one, and the state is that of a backup. The
	// details name the verifier key of everything that was signed before.
	ApplianceRecover Action = "appliance.recover"
	// The disk ran full, so that changes were refused; and had space again.
	ApplianceStorageFull      Action = "appliance.storage_full"
	ApplianceStorageRecovered Action = "appliance.storage_recovered"
	// ApplianceAcceptRollback: an operator accepted a store that is older than
	// what the HSM remembers.
	ApplianceAcceptRollback Action = "appliance.accept_rollback"
)
