package forwardproxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/oneclaw/oneclawd/vault/use"
)

// piece is how much of an answer is read at once, in bytes.
const piece = 32 << 10

// answer passes the host's answer on, as it comes, without the values of the vaults.
func (x *exchange) answer(ctx context.Context, res *http.Response) error {
	switch e := res.Header.Get("Content-Encoding"); {
	case res.StatusCode < http.StatusOK:
		return errBroken
	case e != "" && e != "identity":
		return use.ErrEncoded
	}
	if kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";"); kind == "text/event-stream" {
		if err := x.begin(res); err != nil { // its client waits for the header, and then for long
			return err
		}
	}
	body, buf := x.filter.Stream(), make([]byte, piece)
	for {
		x.silence.Reset(x.p.Silence)
		n, err := res.Body.Read(buf)
		x.silence.Stop() // a client that reads slowly is not the host's silence
		shown, ok := body.Next(buf[:n])
		if err == io.EOF && ok {
			var rest []byte
			shown = append([]byte(nil), shown...)
			rest, ok = body.End()
			shown = append(shown, rest...)
		}
		switch {
		case !ok:
			x.found += body.Found()
			return errDisguise
		case err != nil && !errors.Is(err, io.EOF):
			return x.unreached(ctx, err)
		}
		if err := x.show(res, shown, err != nil); err != nil {
			return err
		}
		if err != nil {
			x.found += body.Found()
			return nil
		}
	}
}

// show writes a piece, and the header before the first. Before the end it waits for
// something to show: an answer that is refused at once is then refused with a reason.
func (x *exchange) show(res *http.Response, piece []byte, last bool) error {
	if len(piece) == 0 && !last {
		return nil
	}
	x.head(res)
	if _, err := x.w.Write(piece); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
		return errLeft
	}
	if last {
		return nil
	}
	return x.flush()
}

// begin shows the header by itself.
func (x *exchange) begin(res *http.Response) error {
	x.head(res)
	return x.flush()
}

func (x *exchange) flush() error {
	if err := http.NewResponseController(x.w).Flush(); err != nil {
		return errLeft
	}
	return nil
}

// head writes the header of the answer, once.
func (x *exchange) head(res *http.Response) {
	if x.sent {
		return
	}
	x.sent = true
	h := x.w.Header()
	for name, values := range res.Header {
		lower := strings.ToLower(name)
		if unshown(lower, x.permit != nil) || namedByConnection(res.Header, name) {
			continue
		}
		for _, v := range values {
			h.Add(x.clean(name), x.clean(v))
		}
	}
	x.status = res.StatusCode
	x.w.WriteHeader(res.StatusCode)
}

// clean is a text without values; one in disguise takes all of it away.
func (x *exchange) clean(text string) string {
	text, n := x.filter.Clean(text)
	if x.filter.Hides(text) {
		text, n = "[REDACTED]", n+1
	}
	x.found += n
	return text
}

// unshown reports whether a header of an answer ends here. What a host hands out to
// whoever has shown it a secret is a credential, too, that the agent was not given; and
// another way to the host would be one around the proxy.
func unshown(lower string, used bool) bool {
	switch lower {
	case "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "content-encoding",
		"alt-svc", "proxy-authenticate", "proxy-authentication-info":
		return true
	case "set-cookie", "set-cookie2":
		return used
	}
	return false
}
