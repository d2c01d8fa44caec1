package api

import "encoding/json"

// SignIntentRequest is a message or a transaction that an agent wants signed.
type SignIntentRequest struct {
	IntentType     string          `json:"intent_type" enum:"personal_sign,typed_data,eip712_digest,transaction"`
	Chain          string          `json:"chain" doc:"Name or chain id"`
	Message        string          `json:"message,omitempty" doc:"Of personal_sign: a text, or bytes as hex with 0x"`
	TypedData      json.RawMessage `json:"typed_data,omitempty" doc:"Of typed_data: types, primaryType, domain and message (EIP-712)"`
	Hash           string          `json:"hash,omitempty" doc:"Of eip712_digest: 32 bytes as hex with 0x"`
	SigningKeyPath string          `json:"signing_key_path,omitempty" doc:"Path of the private key; keys/{chain}-signer when left out"`

	// Of transaction.
	To             string  `json:"to,omitempty"`
	Value          string  `json:"value,omitempty"`
	Data           string  `json:"data,omitempty"`
	Nonce          *uint64 `json:"nonce,omitempty" nullable:"true"`
	GasLimit       *uint64 `json:"gas_limit,omitempty" nullable:"true"`
	GasPrice       string  `json:"gas_price,omitempty"`
	MaxFeePerGas   string  `json:"max_fee_per_gas,omitempty"`
	MaxPriorityFee string  `json:"max_priority_fee_per_gas,omitempty"`

	AccessList []AccessEntry `json:"access_list,omitzero" maxItems:"64"`
}

// SignIntentResponse is what was signed.
type SignIntentResponse struct {
	IntentType    string `json:"intent_type"`
	Chain         string `json:"chain"`
	From          string `json:"from"`
	Signature     string `json:"signature,omitempty" doc:"65 bytes as hex with 0x"`
	SignedTx      string `json:"signed_tx,omitempty"`
	TxHash        string `json:"tx_hash,omitempty"`
	MessageHash   string `json:"message_hash,omitempty"`
	TypedDataHash string `json:"typed_data_hash,omitempty"`
}

// ExplanationResponse is what every guardrail says of a transaction.
type ExplanationResponse struct {
	Allowed bool              `json:"allowed"`
	From    string            `json:"from"`
	Chain   string            `json:"chain"`
	Rules   []RuleVerdict     `json:"rules"`
	Asks    []string          `json:"needs_approval,omitzero" doc:"Why people would have to agree first; left out if they would not"`
	Effects []EffectOfRequest `json:"effects" doc:"What the call would bring about, as far as it can be read from it"`
}

// RuleVerdict is what one guardrail says.
type RuleVerdict struct {
	Rule    string `json:"rule"`
	Allowed bool   `json:"allowed"`
	Detail  string `json:"detail,omitempty"`
}

// EffectOfRequest is one thing that a call would bring about.
type EffectOfRequest struct {
	Kind      string `json:"kind" enum:"transfer,approval,approval_for_all,call,create"`
	Standard  string `json:"standard,omitempty" doc:"Of the asset: native, erc20, erc721, erc1155 or unknown"`
	Token     string `json:"token,omitempty" doc:"Contract of the asset"`
	TokenID   string `json:"token_id,omitempty"`
	Amount    string `json:"amount,omitempty" doc:"In the smallest unit"`
	Unlimited bool   `json:"unlimited,omitempty"`
	From      string `json:"from,omitempty"`
	To        string `json:"to,omitempty"`
	Contract  string `json:"contract,omitempty" doc:"What is called"`
	Method    string `json:"method,omitempty"`
	Selector  string `json:"selector,omitempty"`
}

// SpeedUpRequest replaces a transaction by one with higher fees.
type SpeedUpRequest struct {
	MaxFeePerGas   string `json:"max_fee_per_gas,omitempty" doc:"Wei; what the node suggests when left out, and in any case enough to replace the one before"`
	MaxPriorityFee string `json:"max_priority_fee_per_gas,omitempty" doc:"Wei"`
}
