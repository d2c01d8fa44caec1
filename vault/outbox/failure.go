package outbox

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"time"
)

// Sender delivers the messages of one channel.
type Sender interface {
	// Send returns nil once the other side has taken m. It may be called at once
	// from several goroutines, and again for a message that it has delivered:
	// m.ID is the same then, and must reach the receiver. An error that is not a
	// *Failure counts as one whose cause is not known.
	Send(ctx context.Context, m Message) error
}

// Failure says why a message was not delivered.
type Failure struct {
	Text      string        // safe to show: no address, URL, credential or line of the other side
	Permanent bool          // trying again is no use
	Untried   bool          // nothing was attempted; this does not count as an attempt
	Wait      time.Duration // try again no sooner; 0 leaves it to the outbox
	Err       error         // the cause
}

// Error implements error. The cause is left out.
func (f *Failure) Error() string { return f.Text }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Times between attempts.
const (
	firstRetry = time.Minute
	maxRetry   = 6 * time.Hour
	lastTry    = time.Minute // before NotAfter
)

// retryIn is how long to wait after a number of failed attempts. chance, in
// [0, 1), spreads it by a fifth either way, so that what failed together is not
// tried together.
func retryIn(attempts int, chance float64) time.Duration {
	d := firstRetry
	for i := 1; i < attempts && d < maxRetry; i++ {
		d *= 2
	}
	return time.Duration(float64(min(d, maxRetry)) * (0.8 + 0.4*chance))
}

func chance() float64 {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return float64(binary.BigEndian.Uint32(b[:])) / (1 << 32)
}

// settle is the message after an attempt that ended with err at now.
func (m Message) settle(err error, now time.Time, chance float64) Message {
	if err == nil {
		m.Attempts++
		m.Body, m.Headers, m.LastError = "", nil, ""
		return m.end(Sent, now)
	}
	f := &Failure{Text: "not delivered, for an unknown reason"}
	errors.As(err, &f)
	m.LastError = f.Text
	if !f.Untried {
		m.Attempts++
	}
	if f.Permanent {
		return m.end(Failed, now)
	}
	wait := max(f.Wait, retryIn(m.Attempts, chance))
	if f.Untried && f.Wait > 0 {
		wait = f.Wait
	}
	left := m.NotAfter.Sub(now)
	switch {
	case wait < left:
	case left > 2*lastTry:
		wait = left - lastTry
	default:
		return m.end(Failed, now)
	}
	m.NextAt = now.Add(wait)
	return m
}

func (m Message) end(s State, now time.Time) Message {
	m.State, m.SettledAt, m.NextAt = s, now, now.Add(KeptSettled)
	return m
}

// expired is the message when its time is over.
func (m Message) expired(now time.Time) Message {
	if m.LastError == "" {
		m.LastError = "not delivered in time"
	}
	return m.end(Failed, now)
}
