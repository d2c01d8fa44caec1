package events

import (
	"fmt"
	"log/slog"
	"strings"
)

// logger passes Badger's messages on. What it says at Info is about its own
// upkeep and interests nobody who runs the appliance.
type logger struct{ log *slog.Logger }

func (l logger) Errorf(format string, args ...any) {
	l.log.Error("events: badger", "text", text(format, args))
}

func (l logger) Warningf(format string, args ...any) {
	l.log.Warn("events: badger", "text", text(format, args))
}

func (l logger) Infof(format string, args ...any) {
	l.log.Debug("events: badger", "text", text(format, args))
}

func (l logger) Debugf(string, ...any) {} // several a second

func text(format string, args []any) string {
	return strings.TrimSpace(fmt.Sprintf(format, args...))
}
