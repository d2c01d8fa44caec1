package main

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/attest"
)

func newAttest() *cobra.Command {
	cmd := &cobra.Command{Use: "attest", Short: "Prove what machine and image an appliance is"}
	cmd.AddCommand(newAttestVerify(), newAttestMeasure())
	return cmd
}

func newAttestVerify() *cobra.Command {
	var policyFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify URL --policy FILE",
		Short: "Appraise an appliance from afar, before trusting it with anything",
		Long: `Ask an appliance for evidence over a nonce that is drawn now, and appraise it
with a policy of your own. The key of the TLS connection, which is the one that
was attested, is the appliance's identity: no CA is asked. Exit code 0 means
that this connection ends in an image that the policy accepts, on a genuine
chip; anything else means: do not trust it.`,
		Example: "  oneclawd attest verify https://vault.internal:8200 --policy policy.toml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			policy, err := attest.LoadPolicy(policyFile)
			if err != nil {
				return err
			}
			found, err := appraise(cmd.Context(), args[0], policy)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
					"accepted": true, "product": found.Product, "measurement": hex.EncodeToString(found.Measurement),
					"chip_id": hex.EncodeToString(found.ChipID), "tcb": found.TCB, "launch_tcb": found.LaunchTCB,
					"valid_until": found.ValidUntil,
				})
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "accepted\t%s\nproduct\t%s\nmeasurement\t%x\nchip\t%x\nTCB\t%s\nvalid until\t%s\n",
				args[0], found.Product, found.Measurement, found.ChipID, found.TCB, found.ValidUntil.Format(time.DateOnly))
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&policyFile, "policy", "", "appraisal policy, a TOML file; docs/attestation.md explains it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("policy")
	return cmd
}

// appraise asks for evidence over a connection and holds it against the keys
// that the connection shows.
func appraise(ctx context.Context, url string, policy *attest.Policy) (attest.Result, error) {
	var met [32]byte // hash of the key that the connection proved
	c := &client{base: url, http: http.Client{Timeout: time.Minute, Transport: &http.Transport{
		MaxConnsPerHost: 1,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, //nolint:gosec // the key is attested, no CA vouches for it
			VerifyConnection: func(s tls.ConnectionState) error { return sameKey(&met, s.PeerCertificates) },
		},
	}}}
	nonce := attest.NewNonce()
	var said api.AttestationResponse
	if err := c.call(ctx, http.MethodGet, "/v1/attestation?nonce="+hex.EncodeToString(nonce[:]), nil, &said); err != nil {
		return attest.Result{}, err
	}
	if !said.Attested {
		return attest.Result{}, fmt.Errorf("it is not attested: %s", said.Reason)
	}
	if met == [32]byte{} {
		return attest.Result{}, errors.New("the connection is not encrypted, so nothing shows that it ends in what was attested; use https://")
	}
	evidence, err := attest.ParseEvidence(said.Evidence)
	if err != nil {
		return attest.Result{}, err
	}
	var key api.JWTPublicKeyResponse
	if err := c.call(ctx, http.MethodGet, "/v1/auth/jwt-public-key", nil, &key); err != nil {
		return attest.Result{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(key.PublicKeyBase64)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return attest.Result{}, errors.New("it shows no key for its tokens")
	}
	jwt, err := attest.HashKey(ed25519.PublicKey(raw))
	if err != nil {
		return attest.Result{}, err
	}
	return policy.Appraise(evidence, attest.Binding{Nonce: nonce, TLSKey: met, JWTKey: jwt}, time.Now())
}

// sameKey notes the key of the first connection and refuses another.
func sameKey(met *[32]byte, chain []*x509.Certificate) error {
	hash, err := attest.HashKey(chain[0].PublicKey)
	if err != nil {
		return err
	}
	if *met != [32]byte{} && *met != hash {
		return errors.New("the key of the connection changed in between")
	}
	*met = hash
	return nil
}
