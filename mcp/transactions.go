package mcp

import (
	"context"
	"fmt"
	"strings"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

type simulateArgs struct {
	To             string  `json:"to" jsonschema:"Address of the recipient or contract"`
	Value          string  `json:"value" jsonschema:"Of the chain's coin, in decimal: 0.25"`
	Chain          string  `json:"chain" jsonschema:"Name of the chain, or its id"`
	Data           string  `json:"data,omitempty" jsonschema:"Call data, hex with 0x"`
	SigningKeyPath string  `json:"signing_key_path,omitempty" jsonschema:"Path of the signing key, if not that of the chain"`
	GasLimit       *uint64 `json:"gas_limit,omitempty" jsonschema:"Estimated when left out"`
}

func (in simulateArgs) request() api.TransactionRequest {
	return api.TransactionRequest{
		To: in.To, Value: in.Value, Chain: in.Chain, Data: in.Data, SigningKeyPath: in.SigningKeyPath, GasLimit: in.GasLimit,
	}
}

type simulated struct {
	Status         string              `json:"status"`
	GasUsed        uint64              `json:"gas_used"`
	BalanceChanges []api.BalanceChange `json:"balance_changes"`
	Error          string              `json:"error,omitempty"`
	Reason         string              `json:"reason,omitempty"`
}

func simulateTransaction(ctx context.Context, c *call, in simulateArgs) (string, simulated, error) {
	c.progress(ctx, "Simulating on the chain's node")
	s, err := c.api.SimulateTransaction(ctx, c.agent, in.request())
	if err != nil {
		return "", simulated{}, err
	}
	out := simulated{s.Status, s.GasUsed, s.BalanceChanges, s.ErrorReadable, s.RevertReason}
	if out.Error == "" {
		out.Error = s.Error
	}
	if out.BalanceChanges == nil {
		out.BalanceChanges = []api.BalanceChange{}
	}
	lines := []string{"Simulation " + strings.ToUpper(s.Status), fmt.Sprintf("Gas used: %d", s.GasUsed)}
	lines = appendIf(lines, "Gas estimate: $", s.GasEstimateUSD)
	if n := len(out.BalanceChanges); n > 0 {
		lines = append(lines, fmt.Sprintf("Balance changes: %d", n))
		for _, b := range out.BalanceChanges {
			lines = append(lines, fmt.Sprintf("  %s: %s %s", b.Address, b.Change, symbol(b)))
		}
	}
	lines = appendIf(lines, "Error: ", out.Error)
	lines = appendIf(lines, "Reason: ", out.Reason)
	lines = appendIf(lines, "Tenderly: ", s.TenderlyURL)
	return strings.Join(lines, "\n"), out, nil
}

func symbol(b api.BalanceChange) string {
	if b.TokenSymbol != "" {
		return b.TokenSymbol
	}
	return b.Token
}

func appendIf(lines []string, label, text string) []string {
	if text == "" {
		return lines
	}
	return append(lines, label+text)
}

type transactArgs struct {
	simulateArgs
	Nonce          *uint64 `json:"nonce,omitempty" jsonschema:"Kept for the account when left out"`
	GasPrice       string  `json:"gas_price,omitempty" jsonschema:"Wei"`
	MaxFeePerGas   string  `json:"max_fee_per_gas,omitempty" jsonschema:"Wei"`
	MaxPriorityFee string  `json:"max_priority_fee_per_gas,omitempty" jsonschema:"Wei"`
	SimulateFirst  bool    `json:"simulate_first,omitempty" jsonschema:"Refuse what would revert"`
}

func (in transactArgs) request() api.TransactionRequest {
	out := in.simulateArgs.request()
	out.Nonce, out.GasPrice, out.MaxFeePerGas, out.MaxPriorityFee, out.SimulateFirst = in.Nonce, in.GasPrice, in.MaxFeePerGas, in.MaxPriorityFee, in.SimulateFirst
	return out
}

type transaction struct {
	ID               string `json:"id,omitempty"`
	Status           string `json:"status"`
	Chain            string `json:"chain"`
	ChainID          uint64 `json:"chain_id"`
	To               string `json:"to"`
	ValueWei         string `json:"value_wei"`
	TxHash           string `json:"tx_hash,omitempty"`
	SignedTx         string `json:"signed_tx,omitempty"`
	SimulationStatus string `json:"simulation_status,omitempty"`
	Error            string `json:"error,omitempty"`
}

func transactionOf(t api.TransactionResponse) transaction {
	return transaction{t.ID, t.Status, t.Chain, t.ChainID, t.To, t.ValueWei, t.TxHash, t.SignedTx, t.SimulationStatus, t.ErrorMessage}
}

// text says it the way published clients read it.
func (t transaction) text() string {
	lines := appendIf([]string{"Transaction " + strings.ToUpper(t.Status)}, "ID: ", t.ID)
	lines = append(lines, fmt.Sprintf("Chain: %s (%d)", t.Chain, t.ChainID), "To: "+t.To, "Value: "+t.ValueWei+" wei")
	lines = appendIf(lines, "Tx hash: ", t.TxHash)
	lines = appendIf(lines, "Signed tx: ", t.SignedTx)
	lines = appendIf(lines, "Simulation: ", t.SimulationStatus)
	lines = appendIf(lines, "Error: ", t.Error)
	return strings.Join(lines, "\n")
}

func submitTransaction(ctx context.Context, c *call, in transactArgs) (string, transaction, error) {
	c.progress(ctx, "Checking, signing and sending the transaction")
	t, err := c.api.SubmitTransaction(ctx, c.agent, in.request())
	if err != nil {
		return "", transaction{}, c.approval(ctx, err)
	}
	out := transactionOf(t)
	return out.text(), out, nil
}

func signTransaction(ctx context.Context, c *call, in transactArgs) (string, transaction, error) {
	c.progress(ctx, "Checking and signing the transaction")
	s, err := c.api.SignTransaction(ctx, c.agent, in.request())
	if err != nil {
		return "", transaction{}, c.approval(ctx, err)
	}
	out := transaction{
		Status: s.Status, Chain: s.Chain, ChainID: s.ChainID, To: s.To, ValueWei: s.ValueWei,
		TxHash: s.TxHash, SignedTx: s.SignedTx, SimulationStatus: s.SimulationStatus,
	}
	return out.text(), out, nil
}

type signedArgs struct {
	IncludeSigned bool `json:"include_signed_tx,omitempty" jsonschema:"Show the signed bytes too"`
}

type transactionList struct {
	Transactions []transaction `json:"transactions"`
}

func listTransactions(ctx context.Context, c *call, in signedArgs) (string, transactionList, error) {
	out := transactionList{Transactions: []transaction{}}
	all, err := c.api.ListTransactions(ctx, c.agent, client.TransactionQuery{IncludeSigned: in.IncludeSigned})
	if err != nil {
		return "", out, err
	}
	var text strings.Builder
	for _, t := range all.Transactions {
		out.Transactions = append(out.Transactions, transactionOf(t))
		fmt.Fprintf(&text, "\n- %s  (%s, chain: %s, to: %s, value: %s wei, %s)", t.ID, t.Status, t.Chain, t.To, t.ValueWei, until(t.CreatedAt))
	}
	if len(out.Transactions) == 0 {
		return "No transactions found.", out, nil
	}
	return fmt.Sprintf("Found %d transaction(s):%s", len(out.Transactions), text.String()), out, nil
}

type transactionArgs struct {
	ID string `json:"transaction_id" jsonschema:"Id of the transaction"`
	signedArgs
}

func getTransaction(ctx context.Context, c *call, in transactionArgs) (string, transaction, error) {
	t, err := c.api.GetTransaction(ctx, c.agent, in.ID, client.TransactionView{IncludeSigned: in.IncludeSigned})
	if err != nil {
		return "", transaction{}, err
	}
	out := transactionOf(t)
	return out.text(), out, nil
}
