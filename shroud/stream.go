package shroud

import (
	"errors"
	"io"
	"net/http"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/provider/sse"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

// stream passes a stream on. Each event goes out as soon as it may: what a filter
// holds back is what may yet turn out to be a secret.
func (c *call) stream(res *http.Response) error {
	in := provider.NewStream(c.route.Format, sse.NewReader(res.Body, 0), c.filter)
	defer func() { c.usage = in.Usage }()
	c.head(res)
	out := http.NewResponseController(c.w)
	c.w.WriteHeader(res.StatusCode)
	c.sent = true
	for {
		piece, err := in.Next()
		if len(piece) > 0 {
			if _, werr := c.w.Write(piece); werr != nil {
				return werr
			}
			if ferr := out.Flush(); ferr != nil {
				return ferr
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, provider.ErrCut):
			return badGateway{"upstream error: the stream was cut", err}
		default:
			return c.breakOff(in, err)
		}
	}
}

// breakOff ends a stream with an error that the provider's own client understands.
func (c *call) breakOff(in *provider.Stream, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		err = badGateway{"upstream error: the stream broke off", err}
	}
	code, text, _ := status(err)
	_, _ = c.w.Write(in.Failure(code, text))
	return err
}

// filter is what one text of an answer goes through.
func (c *call) filter(provider.Channel) provider.Filter {
	if !c.policy.FilterAnswers {
		return open{}
	}
	return &hide{c: c, s: c.matcher.Stream()}
}

// open lets everything through.
type open struct{}

func (open) Write(text string) (string, error) { return text, nil }
func (open) Close() (string, error)            { return "", nil }

// hide replaces the values of the vaults.
type hide struct {
	c   *call
	s   *redact.Stream
	buf []byte
}

func (h *hide) Write(text string) (string, error) {
	h.buf = h.s.Append(h.buf[:0], []byte(text))
	h.count()
	return string(h.buf), nil
}

func (h *hide) Close() (string, error) {
	h.buf = h.s.Flush(h.buf[:0])
	h.count()
	return string(h.buf), nil
}

func (h *hide) count() { h.c.asked.redacted += len(h.s.Hits()) }
