package shroud

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/provider"
)

// stream passes a stream on. Each event goes out as soon as it may: what a filter
// holds back is what may yet turn out to be a secret.
func (c *call) stream(res *http.Response) (err error) {
	in := c.events(res.Body)
	defer func() {
		if c.usage = in.Usage; err != nil {
			c.cutOff()
		}
	}()
	c.head(res)
	out := http.NewResponseController(c.w)
	c.w.WriteHeader(res.StatusCode)
	c.sent = true
	for {
		piece, err := in.Next()
		if len(piece) > 0 {
			if _, err := c.w.Write(piece); err != nil {
				return errLeft
			}
			if err := out.Flush(); err != nil {
				return errLeft
			}
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
	var f *fault.Error
	if bad := (badGateway{}); !errors.As(err, &f) && !errors.As(err, &bad) {
		err = badGateway{"upstream error: the stream broke off", fmt.Errorf("%w: %w", errBrokeOff, err)}
	}
	code, text, _ := status(err)
	_, _ = c.w.Write(in.Failure(code, text))
	return err
}
