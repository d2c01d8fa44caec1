package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// transactions is what the commands below tx share: whose they are.
type transactions struct {
	*cli
	agent string
}

func (t *transactions) work(do func(cmd *cobra.Command, remote *client.Client, agent string, args []string) error) func(*cobra.Command, []string) error {
	return t.cli.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
		agent, err := t.agentID(cmd.Context(), remote, t.agent)
		if err != nil {
			return err
		}
		return do(cmd, remote, agent, args)
	})
}

func newTx(c *cli) *cobra.Command {
	t := &transactions{cli: c}
	cmd := &cobra.Command{
		Use:   "tx",
		Short: "Transactions: simulate, sign, send, look up",
		Long: `Transactions of an agent, on the chains that the appliance knows, under the agent's limits.

  oneclaw tx simulate --chain sepolia --to 0x… --value 0.01
  oneclaw tx send --chain sepolia --to 0x… --value 0.01
  oneclaw tx list

--agent names the agent; left out, you have to be one. A transaction that was sent is
never sent twice: each call makes up a key for that, and --idempotency-key is one of
your own, to try again with after a crash.`,
	}
	cmd.PersistentFlags().StringVar(&t.agent, "agent", "me", "agent, by name or id")
	return group(cmd, newTxSend(t), newTxSign(t), newTxSimulate(t), newTxList(t), newTxGet(t))
}

// txFlags state a transaction.
type txFlags struct {
	body         api.TransactionRequest
	nonce, limit uint64
}

func (x *txFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&x.body.To, "to", "", "address of the recipient or contract")
	f.StringVar(&x.body.Value, "value", "0", "of the chain's coin, in decimal: 0.25")
	f.StringVar(&x.body.Chain, "chain", "", "name or chain id")
	f.StringVar(&x.body.Data, "data", "", "call data, hex with 0x")
	f.StringVar(&x.body.SigningKeyPath, "signing-key-path", "", "path of the private key; keys/CHAIN-signer when left out")
	f.Uint64Var(&x.nonce, "nonce", 0, "only to choose one")
	f.Uint64Var(&x.limit, "gas-limit", 0, "estimated when left out")
	f.StringVar(&x.body.GasPrice, "gas-price", "", "wei; makes it a legacy transaction")
	f.StringVar(&x.body.MaxFeePerGas, "max-fee-per-gas", "", "wei")
	f.StringVar(&x.body.MaxPriorityFee, "max-priority-fee-per-gas", "", "wei")
	_ = cmd.MarkFlagRequired("chain") // it fails for a flag that is not there
}

func (x *txFlags) request(cmd *cobra.Command) api.TransactionRequest {
	x.body.Nonce, x.body.GasLimit = given(cmd.Flags().Changed("nonce"), x.nonce), given(x.limit > 0, x.limit)
	return x.body
}

func newTxSend(t *transactions) *cobra.Command {
	var x txFlags
	var simulate bool
	var key string
	cmd := &cobra.Command{
		Use: "send", Aliases: []string{"submit"}, Short: "Sign a transaction and send it", Args: cobra.NoArgs,
		RunE: t.work(func(cmd *cobra.Command, remote *client.Client, agent string, _ []string) error {
			body := x.request(cmd)
			body.SimulateFirst = simulate
			if err := t.confirm(cmd, fmt.Sprintf("Send %s on %s to %s?", body.Value, body.Chain, or(body.To, "a new contract"))); err != nil {
				return err
			}
			ctx := cmd.Context()
			if key != "" {
				ctx = client.WithIdempotencyKey(ctx, key)
			}
			tx, err := remote.SubmitTransaction(ctx, agent, body)
			if err != nil {
				return err
			}
			return t.show(cmd, tx)
		}),
	}
	x.add(cmd)
	cmd.Flags().BoolVar(&simulate, "simulate", true, "simulate first, and send nothing that would revert")
	cmd.Flags().StringVar(&key, "idempotency-key", "", "of your own, for trying again after a crash")
	return cmd
}

func (t *transactions) show(cmd *cobra.Command, tx api.TransactionResponse) error {
	return t.one(cmd, tx, [][2]string{
		{"ID", tx.ID}, {"Status", tx.Status}, {"Chain", fmt.Sprintf("%s (%d)", tx.Chain, tx.ChainID)}, {"To", tx.To}, {"Wei", tx.ValueWei},
		{"Hash", tx.TxHash}, {"Error", tx.ErrorMessage}, {"Signed bytes", tx.SignedTx}, {"Asked for", when(tx.CreatedAt)}, {"Signed", when(tx.SignedAt)},
	})
}

func newTxSign(t *transactions) *cobra.Command {
	var x txFlags
	cmd := &cobra.Command{
		Use: "sign", Short: "Sign a transaction and do not send it", Args: cobra.NoArgs,
		RunE: t.work(func(cmd *cobra.Command, remote *client.Client, agent string, _ []string) error {
			tx, err := remote.SignTransaction(cmd.Context(), agent, x.request(cmd))
			if err != nil {
				return err
			}
			return t.one(cmd, tx, [][2]string{
				{"Signed bytes", tx.SignedTx}, {"Hash", tx.TxHash}, {"From", tx.From}, {"To", tx.To},
				{"Chain", fmt.Sprintf("%s (%d)", tx.Chain, tx.ChainID)}, {"Nonce", fmt.Sprint(tx.Nonce)}, {"Wei", tx.ValueWei},
			})
		}),
	}
	x.add(cmd)
	return cmd
}

func newTxSimulate(t *transactions) *cobra.Command {
	var x txFlags
	cmd := &cobra.Command{
		Use: "simulate", Short: "Say what a transaction would do", Args: cobra.NoArgs,
		Long: `Simulate a transaction on the chain's own node. The exit code is 1 if it would revert.`,
		RunE: t.work(func(cmd *cobra.Command, remote *client.Client, agent string, _ []string) error {
			s, err := remote.SimulateTransaction(cmd.Context(), agent, x.request(cmd))
			if err != nil {
				return err
			}
			pairs := [][2]string{{"Status", s.Status}, {"Gas", fmt.Sprint(s.GasUsed)}, {"Error", or(s.ErrorReadable, s.Error)}, {"Reason", s.RevertReason}}
			for _, b := range s.BalanceChanges {
				pairs = append(pairs, [2]string{b.Address, strings.TrimSpace(b.Change + " " + or(b.TokenSymbol, b.Token))})
			}
			if err := t.one(cmd, s, pairs); err != nil {
				return err
			}
			if s.Status != "success" {
				return fmt.Errorf("it would not succeed: %s", or(s.RevertReason, or(s.ErrorReadable, s.Error)))
			}
			return nil
		}),
	}
	x.add(cmd)
	return cmd
}

func newTxList(t *transactions) *cobra.Command {
	var limit int
	var signed bool
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List transactions, newest first", Args: cobra.NoArgs,
		RunE: t.work(func(cmd *cobra.Command, remote *client.Client, agent string, _ []string) error {
			all, err := remote.ListTransactions(cmd.Context(), agent, client.TransactionQuery{Limit: limit, IncludeSigned: signed})
			if err != nil {
				return err
			}
			var rows [][]string
			for _, tx := range all.Transactions {
				rows = append(rows, []string{tx.ID, tx.Status, tx.Chain, tx.To, tx.ValueWei, tx.TxHash, when(tx.CreatedAt)})
			}
			return t.list(cmd, all.Transactions, []string{"ID", "STATUS", "CHAIN", "TO", "WEI", "HASH", "ASKED FOR"}, rows)
		}),
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 0, "how many")
	cmd.Flags().BoolVar(&signed, "include-signed-tx", false, "with the signed bytes, in JSON")
	return cmd
}

func newTxGet(t *transactions) *cobra.Command {
	var signed bool
	cmd := &cobra.Command{
		Use: "get ID", Short: "Show a transaction, and what the chain made of it", Args: cobra.ExactArgs(1),
		RunE: t.work(func(cmd *cobra.Command, remote *client.Client, agent string, args []string) error {
			tx, err := remote.GetTransaction(cmd.Context(), agent, args[0], client.TransactionView{IncludeSigned: signed})
			if err != nil {
				return err
			}
			if t.json || t.quiet {
				return t.show(cmd, tx)
			}
			if err := t.show(cmd, tx); err != nil {
				return err
			}
			made, err := remote.GetTransactionConfirmation(cmd.Context(), agent, args[0])
			if err != nil {
				return err
			}
			return t.one(cmd, made, [][2]string{{"On chain", made.State}, {"Block", fmt.Sprint(made.BlockNumber)}, {"Gas", fmt.Sprint(made.GasUsed)}, {"Final", yesNo(made.Final)}})
		}),
	}
	cmd.Flags().BoolVar(&signed, "include-signed-tx", false, "with the signed bytes")
	return cmd
}
