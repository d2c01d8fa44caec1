package api

// SimulateBundleRequest simulates transactions one after the other.
type SimulateBundleRequest struct {
	Transactions []TransactionRequest `json:"transactions" minItems:"1" maxItems:"16"`
}

// SimulationResponse is what a transaction would do.
type SimulationResponse struct {
	SimulationID   string          `json:"simulation_id"`
	Status         string          `json:"status" enum:"success,reverted,error"`
	GasUsed        uint64          `json:"gas_used"`
	GasEstimateUSD string          `json:"gas_estimate_usd,omitempty" doc:"Never there: the appliance knows no prices"`
	BalanceChanges []BalanceChange `json:"balance_changes" doc:"Without fees"`
	Error          string          `json:"error,omitempty"`
	ErrorCode      string          `json:"error_code,omitempty"`
	ErrorReadable  string          `json:"error_human_readable,omitempty"`
	RevertReason   string          `json:"revert_reason,omitempty" doc:"In the contract's words"`
	TenderlyURL    string          `json:"tenderly_dashboard_url,omitempty" format:"uri" doc:"Never there: simulations run on the chain's own node"`
	SimulatedAt    Time            `json:"simulated_at"`
}

// BalanceChange is a balance that is another after a transaction.
type BalanceChange struct {
	Address     string `json:"address"`
	Token       string `json:"token" doc:"Contract of the token, or native"`
	TokenSymbol string `json:"token_symbol" doc:"As the token calls itself"`
	Before      string `json:"before"`
	After       string `json:"after"`
	Change      string `json:"change" doc:"With its sign: -0.51, +0.5"`
}

// BundleSimulationResponse has the simulations in the order of the request.
type BundleSimulationResponse struct {
	Simulations []SimulationResponse `json:"simulations"`
}

// TransactionRefusedResponse is a transaction whose simulation failed: it is a
// problem as well, in the same object, but for its status, which is the
// transaction's.
type TransactionRefusedResponse struct {
	TransactionResponse
	Type   string `json:"type"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}
