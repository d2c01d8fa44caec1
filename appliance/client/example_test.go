package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/appliance/client/cmek"
)

// example is an appliance with one answer for each route.
func example(answers map[string]any) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/auth/agent-token", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, api.TokenResponse{AccessToken: "token", ExpiresIn: 3600, AgentID: "buyer"})
	})
	for route, body := range answers {
		mux.HandleFunc(route, func(w http.ResponseWriter, _ *http.Request) {
			status := http.StatusOK
			switch body := body.(type) {
			case api.Problem:
				status = body.Status
			case api.ApprovalPendingResponse:
				status = http.StatusAccepted
			}
			answer(w, status, body)
		})
	}
	return httptest.NewServer(mux)
}

// An agent reads the secret that it was granted.
func ExampleClient_GetSecret() {
	appliance := example(map[string]any{
		"GET /v1/vaults/production/secrets/api-keys/stripe": api.SecretResponse{Value: "sk_test_4eC39H", CreatedAt: now},
		"GET /v1/vaults/production/secrets/db/password":     api.Problem{Status: http.StatusForbidden, Detail: "Access denied"},
	})
	defer appliance.Close()

	c, err := client.New(client.Options{BaseURL: appliance.URL, Key: "ocv_…"})
	if err != nil {
		slog.Error("no client", "err", err)
		os.Exit(1)
	}
	secret, err := c.GetSecret(context.Background(), "production", "api-keys/stripe")
	fmt.Println(secret.Value, err)

	_, err = c.GetSecret(context.Background(), "production", "db/password")
	fmt.Println(errors.Is(err, client.ErrForbidden), err)
	// Output:
	// sk_test_4eC39H <nil>
	// true Access denied (HTTP 403)
}

// A transaction is sent once, however often the answer is lost. One that people have to
// agree to names what they are asked.
func ExampleClient_SubmitTransaction() {
	appliance := example(map[string]any{
		"POST /v1/agents/buyer/transactions": api.ApprovalPendingResponse{ApprovalID: "0198c0de", Needed: 2, ExpiresAt: now},
	})
	defer appliance.Close()
	c, err := client.New(client.Options{BaseURL: appliance.URL, Key: "ocv_…"})
	if err != nil {
		slog.Error("no client", "err", err)
		os.Exit(1)
	}
	ctx := context.Background()
	session, err := c.Session(ctx)
	if err != nil {
		slog.Error("the key was not taken", "err", err)
		os.Exit(1)
	}
	tx, err := c.SubmitTransaction(client.WithIdempotencyKey(ctx, "order-1234"), session.AgentID, api.TransactionRequest{
		To: "0x52908400098527886E0F7030069857D2E4169EE7", Value: "0.25", Chain: "base",
	})
	var refused *client.Error
	switch {
	case errors.Is(err, client.ErrApprovalRequired) && errors.As(err, &refused):
		fmt.Println("people decide about", refused.Problem.Approval)
	case err != nil:
		fmt.Println("refused:", err)
	default:
		fmt.Println("sent as", tx.TxHash)
	}
	// Output: people decide about 0198c0de
}

// The values of a vault can be encrypted before the appliance gets them.
func ExampleOptions_cMEK() {
	key := cmek.NewKey() // keep key.Encode()
	appliance := example(map[string]any{
		"PUT /v1/vaults/production/secrets/db": api.SecretMetadataResponse{Version: 1, CreatedAt: now},
		"GET /v1/vaults/production/secrets/db": api.SecretResponse{Value: key.Seal("hunter2"), CMEKEncrypted: true, CreatedAt: now},
	})
	defer appliance.Close()
	c, err := client.New(client.Options{BaseURL: appliance.URL, Key: "ocv_…", CMEK: map[string][]cmek.Key{"production": {key}}})
	if err != nil {
		slog.Error("no client", "err", err)
		os.Exit(1)
	}
	if _, err := c.PutSecret(context.Background(), "production", "db", api.PutSecretRequest{Value: key.Seal("hunter2")}); err != nil {
		fmt.Println(err)
	}
	secret, err := c.GetSecret(context.Background(), "production", "db")
	fmt.Println(secret.Value, err)
	// Output: hunter2 <nil>
}
