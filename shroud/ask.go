package shroud

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/oneclaw/oneclawd/shroud/provider"
)

// headerAnsweredBy names the provider and model of an answer, where they are not
// those that were asked for.
const headerAnsweredBy = "X-Shroud-Answered-By"

// Bounds of asking one provider again.
const (
	maxTries   = 3
	pauseFirst = 50 * time.Millisecond // doubled each time
	maxPause   = 2 * time.Second       // who asks for more of it is not asked again
)

// attempt is what became of asking one provider.
type attempt struct {
	c       *call
	up      *Upstream
	ctx     context.Context
	cancel  context.CancelCauseFunc
	silence *time.Timer
	res     *http.Response // nil if err is not
	err     error
	opening opening // of the answer, if it is a stream
	sent    bool    // some of the request
	entered bool    // through the provider's gate
	end     outcome // what its gate is told
}

// ask asks the provider that the call is for, and again where it certainly did not
// begin to work.
func (c *call) ask() *attempt {
	a := &attempt{c: c, up: c.up, end: abandoned}
	a.ctx, a.cancel = context.WithCancelCause(c.ctx)
	if a.err = c.up.gate.enter(c.s.Now()); a.err != nil {
		return a
	}
	a.entered = true
	for try := 1; ; try++ {
		err := a.send()
		pause, again := a.repeats(err)
		if !again || try == maxTries {
			a.judge(err)
			return a
		}
		if a.res != nil {
			_ = a.res.Body.Close()
		}
		select {
		case <-time.After(max(pause, pauseFirst<<(try-1))):
		case <-a.ctx.Done():
			a.err = errLeft
			return a
		}
	}
}

// send asks once.
func (a *attempt) send() error {
	var wrote atomic.Bool
	ctx := httptrace.WithClientTrace(a.ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	req, err := a.c.outbound(ctx)
	if err != nil {
		a.err = err // it is ours
		return err
	}
	a.silence = time.AfterFunc(a.up.Silence, func() { a.cancel(errSilent) })
	a.res, err = a.up.Client.Do(req) //nolint:bodyclose // close does
	a.silence.Stop()
	if err == nil {
		a.res.Body = decoded(a.res, &watched{ReadCloser: a.res.Body, timer: a.silence, silence: a.up.Silence})
	}
	a.sent = wrote.Load()
	return err
}

// repeats reports whether the same request may be sent again without having been
// worked on twice: none of it went out, or the provider says that it is busy and when
// it will not be.
func (a *attempt) repeats(err error) (pause time.Duration, again bool) {
	if err != nil {
		var network *net.OpError // not a certificate, nor an address that nobody may reach
		return 0, !a.sent && a.err == nil && a.ctx.Err() == nil && errors.As(err, &network)
	}
	seconds, bad := strconv.Atoi(a.res.Header.Get("Retry-After"))
	pause = time.Duration(seconds) * time.Second
	return pause, a.res.StatusCode == http.StatusServiceUnavailable && bad == nil && seconds >= 0 && pause <= maxPause
}

// judge notes how it ended, as far as that is known before the answer is read.
func (a *attempt) judge(err error) {
	switch {
	case a.err != nil:
	case err != nil:
		a.end, a.err = a.c.failure(), a.c.noAnswer(a.ctx, err)
	case a.res.StatusCode == http.StatusBadGateway, a.res.StatusCode == http.StatusServiceUnavailable, a.res.StatusCode == http.StatusGatewayTimeout:
		a.end = failed
	default:
		a.up.gate.headers()
		a.end = answered
	}
}

// another reports whether another model is to be asked: nothing of an answer has been
// shown, and there is none, or none but that the provider cannot.
func (a *attempt) another() bool {
	if a.c.ctx.Err() != nil {
		return false
	}
	if a.err != nil {
		bad := badGateway{}
		return errors.Is(a.err, errOpen) || errors.Is(a.err, errBusy) || errors.As(a.err, &bad)
	}
	if a.c.streams(a.res) {
		return a.c.fallsBack() && !a.opens() && a.c.ctx.Err() == nil
	}
	return a.res.StatusCode == http.StatusTooManyRequests || a.res.StatusCode >= http.StatusInternalServerError
}

func (a *attempt) close() {
	if a.res != nil {
		_ = a.res.Body.Close()
	}
	if a.silence != nil {
		a.silence.Stop()
	}
	a.cancel(nil)
	if a.entered {
		a.up.gate.leave(a.c.s.Now(), a.end)
	}
}

// fallBack makes the call one of the next model that the agent falls back to, if
// there is one left that it may use, that has a key and that it can pay.
func (c *call) fallBack() bool {
	for c.fallsBack() {
		name := c.policy.Fallbacks[0]
		c.policy.Fallbacks = c.policy.Fallbacks[1:]
		if c.turnTo(name) {
			return true
		}
	}
	return false
}

// fallsBack reports whether there is another model to turn to, perhaps.
func (c *call) fallsBack() bool {
	return c.req != nil && c.route.Generates() && len(c.policy.Fallbacks) > 0
}

// turnTo makes the call one of another model, if that can be.
func (c *call) turnTo(name string) bool {
	up, model := c.s.fallback(c.up, name)
	route, ok := c.route.WithModel(model)
	if !ok || up.Style != c.up.Style || up == c.up && model == c.model || up.gate.closed(c.s.Now()) ||
		c.policy.Provider(up.Name) != nil || c.policy.Model(model) != nil || len(c.matcher.Find(model)) > 0 {
		return false
	}
	key, err := c.keyOf(up)
	if err != nil {
		return false
	}
	price, err := c.priceOf(up, model)
	if err == nil {
		err = c.s.Meter.Change(c.ctx, c.held, c.policy.Limits, c.most(price))
	}
	if err != nil {
		key.Wipe()
		return false
	}
	if c.asked == "" {
		c.asked = c.up.Name + "/" + c.model
	}
	c.key.Wipe()
	c.key, c.up, c.model, c.route, c.price = key, up, model, route, price
	c.req.SetModel(model)
	return true
}

// fallback reads PROVIDER/MODEL, or MODEL of the same provider: names of models have
// slashes, too.
func (s *Server) fallback(same *Upstream, name string) (up *Upstream, model string) {
	for i := range len(name) {
		if name[i] != '/' {
			continue
		}
		if up, ok := s.Upstreams[provider.Canonical(name[:i])]; ok {
			return up, name[i+1:]
		}
		break
	}
	return same, name
}
