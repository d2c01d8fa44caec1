package appliance

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/broker"
)

// BrokerCommand is the hidden subcommand by which this binary runs itself as
// the process that loads the PKCS#11 library.
const BrokerCommand = "hsm-broker"

// pinVariable holds the user PIN where no file does.
const pinVariable = "ONECLAW_HSM_PIN"

// Token is the configured token, with its PIN, which the caller wipes.
func Token(cfg Config) (broker.Token, error) {
	pin, err := secretFrom(pinVariable, cfg.HSM.PINFile)
	if err != nil {
		return broker.Token{}, fmt.Errorf("hsm.pin_file: %w", err)
	}
	return broker.Token{
		Library: cfg.HSM.Library, Token: cfg.HSM.Token, URI: cfg.HSM.URI, PIN: pin, Sessions: cfg.HSM.Sessions,
	}, nil
}

func startBroker(ctx context.Context, cfg Config, log *slog.Logger) (hsm.Module, error) {
	token, err := Token(cfg)
	if err != nil {
		return nil, err
	}
	defer token.PIN.Wipe()
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program for the HSM broker: %w", err)
	}
	return broker.Start(ctx, broker.Config{
		Executable: self, Args: []string{BrokerCommand}, Token: token, Log: log,
	})
}
