package store

// Schema is the version of the layout below that this oneclawd writes. It is
// raised with a migration, when data that is there must change; a new table
// needs neither, since missing buckets are made at Unseal. What a backup reads
// of a store, the audit log's head and how far it was drained, is read from every
// older schema as well.
//
//	state.db
//	├── meta                      readable while sealed
//	│   ├── schema                decimal
//	│   └── head                  Meta and the key check, JSON
//	│
//	│   every record below is sealed; ⟨x⟩ is the Name of x
//	│
//	├── audit-counter             size, drained        → number
//	├── audit-chain               org                  → ChainHead
//	├── audit-tile                level, n             → up to 256 hashes
//	├── audit-leaf                sequence             → an event's bytes, until archived
//	├── audit-checkpoint          last                 → the signed note
//	│
//	├── platform                  platform             → the platform's org
//	├── org                       org                  → Org
//	├── user                      org, user            → User
//	├── user-email                ⟨e-mail⟩             → UserRef
//	├── credential                HMAC of the secret   → Credential
//	├── api-key                   user, key            → APIKey
//	├── agent                     org, agent           → Agent
//	├── agent-claim               HMAC of a proof, org → the agent it is of
//	├── revocation                ⟨token id⟩           → when it would have ended
//	├── activity                  user or agent        → when last seen
//	│
//	├── roster                    org                  → how often its people changed
//	├── ticket                    HMAC of the token    → Ticket: what was mailed is good for
//	├── invitation                org, invitation      → Invitation
//	├── login-tries               ⟨address⟩            → its wrong passwords
//	├── mfa                       user                 → MFA
//	├── device                    HMAC of the code     → Device
//	├── device-code               ⟨user code⟩          → the device's key
//	├── departed                  org, user            → Departed, until it is cleared up
//	│
//	├── vault                     org, vault           → Vault
//	├── kek-module                org                  → the HSM module of its new vaults
//	├── doomed-vault              vault                → a vault being deleted
//	├── secret                    vault, ⟨path⟩        → Secret
//	├── secret-ref                secret               → SecretRef
//	├── secret-version            secret, number       → Version
//	├── envelope                  secret, number       → the sealed value
//	├── grant                     kind, holder, vault  → the holder's policies there
//	├── policy-holder             vault, policy        → who holds it
//	├── binding                   agent                → its Bindings: where it may use which secret
//	├── cmek-job                  vault, job           → CMEKJob: how far a rotation of the customer's key is
//	│
//	├── share                     share                → Share
//	├── share-outbound            kind, creator, share → that it is there
//	├── share-inbound             kind, recipient, share → that it is there
//	├── share-pending             ⟨e-mail⟩             → shares that nobody has claimed
//	│
//	├── outbox                    message              → Message, with its body until it is sent
//	├── outbox-org                org, message         → that it is there
//	├── outbox-due                lane, time, message  → that it is there
//	├── outbox-count              org, lane            → how many wait
//	│
//	├── ip-rules                  org                  → the organisation's Rules
//	├── settings                  settings             → the appliance's Settings
//	├── backup                    last, proven         → what was backed up, and what a drill found
//	│
//	├── webhook                   org                  → the organisation's Subscriptions
//	├── webhook-secret            subscription         → the key that signs its deliveries
//	├── webhook-cursor            cursor               → index of the next event to look at
//	│
//	├── chain                     chains               → the registry of chains
//	├── intent                    agent, intent        → Intent
//	├── intent-open               chain, intent        → the agent of one that is not final
//	├── intent-unseen             chain, ⟨address⟩,
//	│                             nonce, intent        → the agent and account of one that nobody has broadcast
//	├── account                   ⟨chain, address⟩     → Account: its nonces
//	├── spent                     agent, ⟨asset⟩       → Window: what went out of it
//	├── tx-count                  agent                → Window: how many transactions
//	├── repeat                    agent, ⟨key⟩         → Repeat: what an Idempotency-Key was used for
//	├── repeat-age                time, agent, ⟨key⟩   → that it is there
//	├── signer-address            secret, number       → the address of the key in it
//	├── signing-key               agent, ⟨chain⟩       → its keys in the HSM, all versions
//	├── guardrails                agent                → Extra: limits beyond its record's
//	├── approval                  org, approval        → Approval
//	├── approval-waiting          agent                → its approvals that nobody has decided
//	├── approval-last             agent, action's hash → the newest approval of it
//	├── paid                      agent, ⟨address⟩     → that it paid it before
//	├── freeze                    org                  → Freeze
//	│
//	├── llm-usage                 agent                → Usage: what it took of models, of its last day
//	├── llm-price                 prices               → the operator's prices of models
//	├── forward-ca                cas                  → the CAs of the forward proxy, with their keys
//	│
//	└── stream-cursor             sink                 → index of the next event to send to it
const Schema = 1 + rehearsed

// OldestSchema is the oldest that Migrate brings to it.
const OldestSchema = 1

// bucket is a table as the engine sees it.
type bucket struct {
	name string
	// journal says that records are added behind the last one and read about
	// once: pages are filled instead of split in the middle, and the cache is
	// left to others.
	journal bool
	// spare says that it may grow while the disk is full: see ballast.
	spare bool
	// rights says that who may do what depends on it: see Generation.
	rights bool
	// sparse says that most of the records that are asked for do not exist, and are
	// asked for again: the cache remembers that too. Not for keys that anybody
	// may make up, who would push out what is read often.
	sparse bool
}

// layout is what a file of one schema looks like and how older ones become so.
type layout struct {
	schema     int
	buckets    []bucket
	migrations []migration // each raises the schema by one; oldest first
}

// current is the layout above.
var current = layout{schema: Schema, buckets: buckets, migrations: rehearsal}

// buckets lists the tables in the order of the tree above.
var buckets = []bucket{
	{name: auditCounters.name, spare: true},
	{name: auditChains.name, spare: true},
	{name: auditTiles.name, spare: true},
	{name: auditLeaves.name, journal: true, spare: true},
	{name: auditCheckpoints.name, spare: true},

	{name: platform.name},
	{name: orgs.name},
	{name: users.name},
	{name: userEmails.name},
	{name: credentials.name},
	{name: apiKeys.name},
	{name: agentsTable.name, rights: true},
	{name: claims.name},
	{name: revocations.name, sparse: true},
	{name: activities.name},

	{name: rosters.name},
	{name: tickets.name},
	{name: invitations.name},
	{name: loginTries.name},
	{name: mfas.name},
	{name: devices.name},
	{name: deviceCodes.name},
	{name: departed.name},

	{name: vaults.name, rights: true},
	{name: kekModules.name},
	{name: doomed.name},
	{name: secrets.name, rights: true},
	{name: secretRefs.name},
	{name: versions.name},
	{name: envelopes.name},
	{name: grants.name, rights: true},
	{name: holders.name},
	{name: bindings.name},
	{name: cmekJobs.name},

	{name: shares.name},
	{name: sharesOut.name},
	{name: sharesIn.name},
	{name: pendingShares.name},

	{name: outboxMessages.name, journal: true},
	{name: outboxOrgs.name},
	{name: outboxDue.name},
	{name: outboxCounts.name},

	{name: ipRules.name, sparse: true},
	{name: settings.name, sparse: true},
	{name: backups.name},

	{name: webhooks.name},
	{name: webhookSecrets.name},
	{name: webhookCursor.name},

	{name: chains.name},
	{name: intentsTable.name},
	{name: openIntents.name},
	{name: unseenIntents.name},
	{name: chainAccounts.name},
	{name: spent.name, sparse: true},
	{name: txCounts.name, sparse: true},
	{name: repeats.name},
	{name: repeatAges.name},
	{name: signerAddresses.name},
	{name: signingKeys.name, sparse: true},
	{name: extras.name, sparse: true},
	{name: approvals.name},
	{name: waitingFor.name},
	{name: lastApprovals.name},
	{name: paid.name},
	{name: freezes.name, sparse: true},

	{name: llmUsages.name},
	{name: llmPrices.name},
	{name: forwardCAs.name},

	{name: streamCursors.name, spare: true},
}
