package api

// CreateChainRequest registers a chain.
type CreateChainRequest struct {
	Name           string `json:"name"`
	DisplayName    string `json:"display_name"`
	ChainID        uint64 `json:"chain_id" minimum:"1" doc:"EIP-155"`
	RPCURL         string `json:"rpc_url,omitempty" doc:"Of a node; several with commas between them are tried in their order"`
	WSURL          string `json:"ws_url,omitempty"`
	ExplorerURL    string `json:"explorer_url,omitempty"`
	NativeCurrency string `json:"native_currency,omitempty" doc:"ETH when left out"`
	IsTestnet      bool   `json:"is_testnet,omitempty"`
	IsEnabled      *bool  `json:"is_enabled,omitempty" nullable:"true" doc:"true when left out"`
}

// UpdateChainRequest changes what it names.
type UpdateChainRequest struct {
	DisplayName    *string `json:"display_name,omitempty" nullable:"true"`
	RPCURL         *string `json:"rpc_url,omitempty" nullable:"true" doc:"Empty: no node"`
	WSURL          *string `json:"ws_url,omitempty" nullable:"true"`
	ExplorerURL    *string `json:"explorer_url,omitempty" nullable:"true"`
	NativeCurrency *string `json:"native_currency,omitempty" nullable:"true"`
	IsTestnet      *bool   `json:"is_testnet,omitempty" nullable:"true"`
	IsEnabled      *bool   `json:"is_enabled,omitempty" nullable:"true"`
}

// ChainResponse is a chain.
type ChainResponse struct {
	ID             string `json:"id" format:"uuid"`
	Name           string `json:"name"`
	DisplayName    string `json:"display_name"`
	ChainID        uint64 `json:"chain_id"`
	RPCURL         string `json:"rpc_url,omitempty" doc:"In the public list only scheme and host, since the rest often is a credential"`
	WSURL          string `json:"ws_url,omitempty"`
	ExplorerURL    string `json:"explorer_url,omitempty"`
	NativeCurrency string `json:"native_currency"`
	IsTestnet      bool   `json:"is_testnet"`
	IsEnabled      bool   `json:"is_enabled"`
	CreatedAt      Time   `json:"created_at"`
	UpdatedAt      Time   `json:"updated_at"`
}

// ChainListResponse lists chains, in the order of their chain ids.
type ChainListResponse struct {
	Chains []ChainResponse `json:"chains"`
}

// ChainHealthResponse is what is known of the nodes of a chain.
type ChainHealthResponse struct {
	Chain   string       `json:"chain"`
	ChainID uint64       `json:"chain_id"`
	Head    uint64       `json:"head,omitempty" doc:"Newest block, if a node answers"`
	Nodes   []NodeHealth `json:"nodes" doc:"In the order in which they are asked"`
}

// NodeHealth is the state of one of them.
type NodeHealth struct {
	Node     string `json:"node" doc:"Its URL, without path and credentials"`
	State    string `json:"state" enum:"untried,ready,down,wrong_chain"`
	Failures int    `json:"failures" doc:"In a row"`
	Error    string `json:"error,omitempty"`
	RetryAt  Time   `json:"retry_at,omitzero"`
}
