package api

// TransactionRequest is a transaction that an agent states.
type TransactionRequest struct {
	To    string `json:"to" doc:"Address of the recipient or contract; empty with data creates a contract"`
	Value string `json:"value" doc:"Of the chain's coin, in decimal: 0.25"`
	Chain string `json:"chain" doc:"Name or chain id"`
	Data  string `json:"data,omitempty" doc:"Call data, hex with 0x"`

	AccessList []AccessEntry `json:"access_list,omitzero" maxItems:"64" doc:"Storage that it will use (EIP-2930); with gas_price it makes the transaction one of type 1"`

	SigningKeyPath string  `json:"signing_key_path,omitempty" doc:"Path of the private key; keys/{chain}-signer when left out"`
	Nonce          *uint64 `json:"nonce,omitempty" nullable:"true" doc:"Only to choose one: it is kept for the account otherwise"`
	GasLimit       *uint64 `json:"gas_limit,omitempty" nullable:"true" doc:"Estimated by the chain's node when left out"`
	GasPrice       string  `json:"gas_price,omitempty" doc:"Wei; makes it a legacy transaction (EIP-155), or one of type 1 with access_list"`
	MaxFeePerGas   string  `json:"max_fee_per_gas,omitempty" doc:"Wei; with max_priority_fee_per_gas (EIP-1559)"`
	MaxPriorityFee string  `json:"max_priority_fee_per_gas,omitempty" doc:"Wei"`
	SimulateFirst  bool    `json:"simulate_first,omitempty" doc:"Refuse with 422 what would revert"`
	Resimulate     bool    `json:"resimulate,omitempty" doc:"Simulate first, and once more right before it is signed: refuse with 409 what would change other balances by then, or by other amounts"`
}

// AccessEntry is an entry of an access list.
type AccessEntry struct {
	Address string `json:"address"`
	// Both spellings are in use: that of nodes, and that of this API.
	StorageKeys      []string `json:"storageKeys,omitzero" maxItems:"256" doc:"32 bytes each, hex with 0x"`
	StorageKeysSnake []string `json:"storage_keys,omitzero" maxItems:"256" doc:"The same by another name"`
}

// TransactionResponse is a transaction as it stands. Strict readers know exactly
// these fields.
type TransactionResponse struct {
	ID       string `json:"id" format:"uuid"`
	AgentID  string `json:"agent_id" format:"uuid"`
	Chain    string `json:"chain"`
	ChainID  uint64 `json:"chain_id"`
	To       string `json:"to"`
	ValueWei string `json:"value_wei"`
	Status   string `json:"status" enum:"pending,signed,broadcast,failed,simulation_failed"`

	SignedTx     string `json:"signed_tx,omitempty" doc:"Hex with 0x; in lists and later answers only if asked for"`
	TxHash       string `json:"tx_hash,omitempty"`
	ErrorMessage string `json:"error_message,omitempty"`
	CreatedAt    Time   `json:"created_at"`
	SignedAt     Time   `json:"signed_at,omitzero"`

	SimulationID     string `json:"simulation_id,omitempty"`
	SimulationStatus string `json:"simulation_status,omitempty"`
	TenderlyURL      string `json:"tenderly_dashboard_url,omitempty" format:"uri" doc:"Never there: simulations run on the chain's own node"`

	MaxFeePerGas   string `json:"max_fee_per_gas,omitempty"`
	MaxPriorityFee string `json:"max_priority_fee_per_gas,omitempty"`
}

// TransactionListResponse lists transactions, newest first.
type TransactionListResponse struct {
	Transactions []TransactionResponse `json:"transactions"`
}

// SignTransactionResponse is a transaction that was signed and not sent.
type SignTransactionResponse struct {
	SignedTx string `json:"signed_tx" doc:"Hex with 0x"`
	TxHash   string `json:"tx_hash"`
	From     string `json:"from"`
	To       string `json:"to"`
	Chain    string `json:"chain"`
	ChainID  uint64 `json:"chain_id"`
	Nonce    uint64 `json:"nonce"`
	ValueWei string `json:"value_wei"`
	Status   string `json:"status" enum:"sign_only"`

	SimulationID     string `json:"simulation_id,omitempty"`
	SimulationStatus string `json:"simulation_status,omitempty"`

	MaxFeePerGas   string `json:"max_fee_per_gas,omitempty"`
	MaxPriorityFee string `json:"max_priority_fee_per_gas,omitempty"`
}

// ConfirmationResponse says what the chain made of a transaction.
type ConfirmationResponse struct {
	ID           string   `json:"id" format:"uuid"`
	State        string   `json:"state" enum:"reserved,signed,broadcast,rejected,confirmed,reverted,replaced,released,simulated"`
	Final        bool     `json:"final" doc:"Nothing can happen to it any more"`
	From         string   `json:"from,omitempty"`
	Nonce        uint64   `json:"nonce"`
	TxHashes     []string `json:"tx_hashes" doc:"Of every try with the nonce, oldest first: one of them lands at most"`
	TxHash       string   `json:"tx_hash,omitempty" doc:"Of the one that landed"`
	BlockNumber  uint64   `json:"block_number,omitempty"`
	BlockHash    string   `json:"block_hash,omitempty"`
	Contract     string   `json:"contract_address,omitempty" doc:"Of the contract that it has created"`
	GasUsed      uint64   `json:"gas_used,omitempty"`
	GasPrice     string   `json:"effective_gas_price,omitempty" doc:"Wei"`
	SettledAt    Time     `json:"settled_at,omitzero"`
	ErrorMessage string   `json:"error_message,omitempty"`
}

// GuardrailsRequest are the limits of an agent that its own record has no fields
// for. What is left out is no limit.
type GuardrailsRequest struct {
	TxPerDay                int           `json:"tx_per_day,omitempty" minimum:"0" doc:"Transactions in 24 hours; 0: any number"`
	AllowedMethods          []string      `json:"allowed_methods,omitzero" doc:"Contract methods, as 0xa9059cbb; empty: any"`
	TokenLimits             []TokenLimit  `json:"token_limits,omitzero"`
	AllowUnlimitedApprovals bool          `json:"allow_unlimited_approvals,omitempty"`
	NoPersonalSign          bool          `json:"no_personal_sign,omitempty" doc:"Whether messages of EIP-191 are refused"`
	NoTypedData             bool          `json:"no_typed_data,omitempty" doc:"Whether messages of EIP-712 are refused"`
	AllowedDomains          []string      `json:"allowed_domains,omitzero" doc:"Contracts that typed data may be for; empty: any, as long as it is known what the message allows"`
	Approval                *ApprovalRule `json:"approval,omitempty" doc:"When people have to agree first"`
	RawDigests              bool          `json:"raw_digests,omitempty" doc:"Whether digests may be signed, of which nobody can tell what they mean"`
}

// TokenLimit limits what goes out of one token.
type TokenLimit struct {
	ChainID    uint64 `json:"chain_id" minimum:"1"`
	Token      string `json:"token" doc:"Address of its contract"`
	MaxAmount  string `json:"max_amount,omitempty" doc:"In one transaction, in the token's smallest unit"`
	DailyLimit string `json:"daily_limit,omitempty" doc:"In 24 hours, in the token's smallest unit"`
}

// GuardrailsResponse are those limits.
type GuardrailsResponse struct {
	TxPerDay                int           `json:"tx_per_day"`
	AllowedMethods          []string      `json:"allowed_methods"`
	TokenLimits             []TokenLimit  `json:"token_limits"`
	AllowUnlimitedApprovals bool          `json:"allow_unlimited_approvals"`
	NoPersonalSign          bool          `json:"no_personal_sign"`
	NoTypedData             bool          `json:"no_typed_data"`
	AllowedDomains          []string      `json:"allowed_domains"`
	Approval                *ApprovalRule `json:"approval,omitempty"`
	RawDigests              bool          `json:"raw_digests"`
}

// ApprovalRule says when people have to agree to what an agent wants sent.
type ApprovalRule struct {
	AboveETH      string   `json:"above_eth,omitempty" doc:"Of the chain's coin, in one transaction"`
	Methods       []string `json:"methods,omitzero" doc:"Contract methods, as 0xa9059cbb"`
	NewRecipients bool     `json:"new_recipients,omitempty" doc:"Whoever the agent has not paid yet"`
	Approvers     int      `json:"approvers" minimum:"1" maximum:"16" doc:"How many distinct owners or admins, none of them who asked"`
	WithinSeconds int      `json:"within_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"How long they have, and how long their decision can be used; a day when left out"`
}

// FreezeRequest stops all signing in the organisation.
type FreezeRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"500"`
}

// FreezeResponse says whether signing is stopped.
type FreezeResponse struct {
	Frozen   bool   `json:"frozen"`
	Reason   string `json:"reason,omitempty"`
	FrozenAt Time   `json:"frozen_at,omitzero"`
	FrozenBy string `json:"frozen_by,omitempty" doc:"user:<uuid>"`
}
