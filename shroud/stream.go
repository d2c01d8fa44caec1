package shroud

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/provider"
)

// opening is the beginning of a stream that was read before any of it was shown.
type opening struct {
	in   *provider.Stream
	read []byte // what is to be shown
	err  error
}

// maxOpening is how many events of a stream are waited for, as long as they say
// nothing, where another model could be asked instead.
const maxOpening = 3

// opens reports whether a stream begins as one of an answer. It waits until it does:
// what a provider says first of an answer is no more than that there will be one.
func (a *attempt) opens() bool {
	c, o := a.c, &a.opening
	o.in = c.events(a.res.Body)
	for range maxOpening {
		var piece []byte
		piece, o.err = o.in.Next()
		o.read = append(o.read, piece...)
		if o.err != nil || o.in.Failed() || c.heard > 0 {
			break
		}
	}
	if f := fault.As(o.err); o.err == nil || errors.Is(o.err, io.EOF) || f != nil && f.Kind == fault.Denied {
		return !o.in.Failed()
	}
	a.end = c.failure()
	return false
}

// maxTogether bounds how many events that came together go on together.
const maxTogether = 16

// stream passes a stream on. Each event goes out as soon as it may: what a filter
// holds back is what may yet turn out to be a secret. Only where the next event is
// there already does one wait for it, and the first never.
func (c *call) stream(a *attempt) (err error) {
	o := a.opening
	if o.in == nil {
		o.in = c.events(a.res.Body)
	}
	in := o.in
	defer func() {
		if c.usage = in.Usage; err != nil {
			c.cutOff()
		}
	}()
	c.head(a.res)
	out := http.NewResponseController(c.w)
	c.w.WriteHeader(a.res.StatusCode)
	c.sent = true
	first, waiting := true, 0
	for piece, err := o.read, o.err; ; piece, err = in.Next() {
		if len(piece) > 0 {
			if _, err := c.w.Write(piece); err != nil {
				return errLeft
			}
			waiting++
		}
		if waiting > 0 && (first || err != nil || waiting == maxTogether || !in.Ready()) {
			if err := out.Flush(); err != nil {
				return errLeft
			}
			first, waiting = false, 0
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, provider.ErrCut):
			return c.breakOff(in, badGateway{"upstream error: the stream was cut", fmt.Errorf("%w: %w", errBrokeOff, err)})
		default:
			return c.breakOff(in, err)
		}
	}
}

// events is the provider's stream as the client is to see it.
func (c *call) events(body io.Reader) *provider.Stream {
	source := c.route.Events(body)
	if c.route.Translated {
		source = c.wants.Stream(c.up.Style, source)
	}
	in := provider.NewStream(c.route.Format, source, c.filter)
	if c.hidesUsage {
		in.HideUsage()
	}
	return in
}

// breakOff ends a stream with an error that the provider's own client understands.
func (c *call) breakOff(in *provider.Stream, err error) error {
	f, bad := fault.As(err), badGateway{}
	switch {
	case errors.As(err, &bad), f != nil && f.Kind == fault.Denied: // for what it says
	case f != nil:
		err = badGateway{"upstream error: the stream cannot be read", fmt.Errorf("%w: %w", errBrokeOff, err)}
	default:
		err = badGateway{"upstream error: the stream broke off", fmt.Errorf("%w: %w", errBrokeOff, err)}
	}
	code, text, _ := status(err)
	_, _ = c.w.Write(in.Failure(code, text))
	return err
}
