package events

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// logger passes Badger's messages on. What it says at Info is about its own
// upkeep and interests nobody who runs the appliance; what fails while it opens
// is Open's to judge.
type logger struct {
	log  *slog.Logger
	open atomic.Bool
}

func (l *logger) Errorf(format string, args ...any) {
	level := slog.LevelDebug
	if l.open.Load() {
		level = slog.LevelError
	}
	l.log.Log(context.Background(), level, "events: badger", "text", text(format, args))
}

func (l *logger) Warningf(format string, args ...any) {
	l.log.Warn("events: badger", "text", text(format, args))
}

func (l *logger) Infof(format string, args ...any) {
	l.log.Debug("events: badger", "text", text(format, args))
}

func (l *logger) Debugf(string, ...any) {} // several a second

func text(format string, args []any) string {
	return strings.TrimSpace(fmt.Sprintf(format, args...))
}
