package broker

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// Config says how to run the child and what it opens.
type Config struct {
	// Executable is the program, in practice this one, and Args the arguments that
	// make it call RunChild. They hold no secret.
	Executable string
	Args       []string
	// Env is added to this process's environment.
	Env []string
	// Hold, if not nil, is a file that the child keeps open for as long as it runs, so
	// that a lock on it ends with the last process that uses the token.
	Hold *os.File
	// Token is sent to the child over the socket. The PIN is copied, to be sent
	// again to a child that is started later.
	Token Token

	CallTimeout time.Duration // per call, 10 s if 0
	OpenTimeout time.Duration // to log in, 30 s if 0
	SlowTimeout time.Duration // to make keys that stay in the token, 2 min if 0
	Log         *slog.Logger  // slog.Default() if nil
}

// Pauses before a new child is tried. The longest, with the time that a child
// needs to start and log in, keeps recovery under a second.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 500 * time.Millisecond
)

// steady is how long a child must have lived for the next to be tried without
// a pause.
const steady = 5 * time.Second

// Client is the hsm.Module of the daemon.
type Client struct {
	cfg  Config
	link atomic.Pointer[link]            // the present or the last child
	down atomic.Pointer[fault.Error]     // why there is no child, nil while there is
	desc atomic.Pointer[hsm.Description] // as of the last opening or Init
	stop context.CancelFunc              // ends supervise
	done chan struct{}                   // closed when supervise has ended
	once sync.Once

	turns chan struct{} // account calls that are under way
}

var _ hsm.Module = (*Client)(nil)

// Start runs a child and returns when it has opened the token. If it cannot,
// Start fails with the child's error and leaves nothing behind; whether to try
// again is for the caller to say, except that a refused PIN
// (hsm.ErrWrongPIN) must not be tried again.
func Start(ctx context.Context, cfg Config) (*Client, error) {
	setDefaults(&cfg)
	c := &Client{cfg: cfg, done: make(chan struct{}), turns: turns(cfg.Token.Sessions)}
	l, err := c.connect(ctx)
	if err != nil {
		c.cfg.Token.PIN.Wipe()
		return nil, err
	}
	c.link.Store(l)
	life, stop := context.WithCancel(context.Background())
	c.stop = stop
	go c.supervise(life)
	return c, nil
}

func setDefaults(cfg *Config) {
	for value, def := range map[*time.Duration]time.Duration{
		&cfg.CallTimeout: 10 * time.Second, &cfg.OpenTimeout: 30 * time.Second, &cfg.SlowTimeout: 2 * time.Minute,
	} {
		if *value <= 0 {
			*value = def
		}
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	cfg.Token.PIN = plain.New(append([]byte(nil), cfg.Token.PIN.Reveal()...))
}

// connect runs a child and has it open the token.
func (c *Client) connect(ctx context.Context) (*link, error) {
	conn, err := spawn(c.cfg)
	if err != nil {
		return nil, hsm.ErrUnavailable.Detail("the HSM broker process cannot be started").Because(err)
	}
	l := newLink(conn)
	body, err := l.do(ctx, c.cfg.OpenTimeout, opOpen, c.cfg.Token.parts()...)
	if err == nil {
		err = c.described(body)
	}
	if err != nil {
		l.end(err)
		return nil, err
	}
	return l, nil
}

// described takes in a reply that says what the module is.
func (c *Client) described(body []byte) error {
	f := fields{rest: body}
	var d hsm.Description
	if err := json.Unmarshal(f.next(), &d); err != nil || !f.done() {
		return hsm.ErrUnavailable.Because(errFrame)
	}
	c.desc.Store(&d)
	return nil
}

// supervise replaces the child whenever it ends, until the client is closed or
// the token refuses the PIN.
func (c *Client) supervise(ctx context.Context) {
	defer close(c.done)
	for {
		l, began := c.link.Load(), time.Now()
		select {
		case <-ctx.Done():
			return
		case <-l.ended:
		}
		c.lostChild(l.reason())
		l.conn.wait(time.Second) // it was killed; tokens with few sessions want them back
		if !c.revive(ctx, time.Since(began) < steady) {
			return
		}
	}
}

// lostChild notes why calls fail from now on.
func (c *Client) lostChild(reason error) {
	c.cfg.Log.Warn("hsm broker lost", "reason", detail(reason))
	c.down.Store(unavailable(reason))
}

// revive tries new children until one has opened the token.
func (c *Client) revive(ctx context.Context, pauseFirst bool) bool {
	pause, said := firstPause, ""
	for {
		if pauseFirst {
			select {
			case <-ctx.Done():
				c.down.Store(errStopped)
				return false
			case <-time.After(pause):
			}
			pause = min(2*pause, lastPause)
		}
		pauseFirst = true
		l, err := c.connect(ctx)
		if err == nil {
			c.link.Store(l)
			c.down.Store(nil)
			c.cfg.Log.Info("hsm broker is back")
			return true
		}
		if errors.Is(err, hsm.ErrWrongPIN) {
			// Tokens lock after a few wrong PINs. Only a person can mend this.
			c.down.Store(fault.As(err))
			c.cfg.Log.Error("hsm broker stopped: the token refused the PIN", "reason", detail(err))
			return false
		}
		c.down.Store(unavailable(err))
		if text := detail(err); text != said {
			said = text // the same failure twice a second is not news
			c.cfg.Log.Warn("hsm broker cannot open the token", "reason", text)
		}
	}
}

// unavailable is what callers hear while there is no child, whatever the child's
// own error was: to them it is an outage.
func unavailable(err error) *fault.Error {
	if f := fault.As(err); f != nil {
		return hsm.ErrUnavailable.Detail("%s", f.Msg).Because(err)
	}
	return hsm.ErrUnavailable.Because(err)
}

// detail is an error with its hidden cause, for the log.
func detail(err error) string {
	if f := fault.As(err); f != nil && f.Err != nil {
		return err.Error() + ": " + f.Err.Error()
	}
	return err.Error()
}

// call makes one call, or fails at once while there is no child.
func (c *Client) call(ctx context.Context, patience time.Duration, what op, parts ...[]byte) (fields, error) {
	if down := c.down.Load(); down != nil {
		return fields{}, down
	}
	body, err := c.link.Load().do(ctx, patience, what, parts...)
	return fields{rest: body}, err
}

// Close implements hsm.Module. When it returns, the child has logged out and
// is gone, unless it hangs: then it was killed.
func (c *Client) Close() error {
	c.once.Do(func() {
		c.stop()
		<-c.done
		c.down.Store(errStopped)
		l := c.link.Load()
		l.conn.finish()
		l.end(errStopped)
		c.cfg.Token.PIN.Wipe()
	})
	return nil
}
