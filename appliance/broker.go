package appliance

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/broker"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// BrokerCommand is the hidden subcommand by which this binary runs itself as
// the process that loads the PKCS#11 library.
const BrokerCommand = "hsm-broker"

// Token is the configured token, with the PIN that the configuration names,
// which the caller wipes.
func Token(cfg Config) (broker.Token, error) {
	pin, _, err := cfg.credential()
	return cfg.token(pin), err
}

func (c Config) token(pin plain.Bytes) broker.Token {
	return broker.Token{Library: c.HSM.Library, Token: c.HSM.Token, URI: c.HSM.URI, PIN: pin, Sessions: c.HSM.Sessions}
}

func startBroker(ctx context.Context, cfg Config, pin plain.Bytes, hold *os.File, log *slog.Logger) (hsm.Module, error) {
	return runBroker(ctx, cfg.token(pin), nil, hold, log)
}

// runBroker runs the process that loads a token's library; env is added to its
// environment. hold, if not nil, is the lock of the data that the token is used for.
func runBroker(ctx context.Context, token broker.Token, env []string, hold *os.File, log *slog.Logger) (hsm.Module, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program for the HSM broker: %w", err)
	}
	return broker.Start(ctx, broker.Config{
		Executable: self, Args: []string{BrokerCommand}, Env: env, Hold: hold, Token: token, Log: log,
	})
}
