package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/oneclaw/oneclawd/hsm"
)

// Open opens the module that a child serves.
type Open func(Token) (hsm.Module, error)

// defaultWorkers serve a token that does not say how many sessions to use.
const defaultWorkers = 8

// server is the child's end.
type server struct {
	module  hsm.Module
	out     frameWriter
	reading sync.Mutex // held by the worker that waits for the next request
	in      *frameReader
}

// Serve opens the module that the other end of conn asks for and answers its
// calls until conn closes or ctx is done. It closes the module.
func Serve(ctx context.Context, conn net.Conn, open Open) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	s := &server{in: newFrameReader(conn), out: frameWriter{w: conn}}
	workers, err := s.open(open)
	if err != nil || workers == 0 {
		return err
	}
	// The first worker to see the end ends all. Others may hang in a driver that
	// lost its token; they are not waited for, the process ends with them.
	end := make(chan error, workers)
	for range workers {
		go func() { end <- s.work(ctx) }()
	}
	err = <-end
	cancel()
	return errors.Join(err, s.module.Close())
}

// open answers the first request, which must be opOpen. If the module does not
// open, the parent has been told, and there are no workers and no error: it
// would be reported twice, at every attempt while a token is away.
func (s *server) open(open Open) (workers int, err error) {
	first, err := s.in.next()
	if err != nil {
		return 0, fmt.Errorf("reading the first message: %w", err)
	}
	if op(first.kind) != opOpen {
		return 0, errFrame
	}
	token, err := parseToken(first.body)
	if err != nil {
		return 0, err
	}
	s.module, err = open(token)
	token.PIN.Wipe()
	if err != nil {
		return 0, s.fail(first.id, err)
	}
	if err := s.describe(first.id); err != nil {
		return 0, errors.Join(err, s.module.Close())
	}
	if token.Sessions > 0 {
		// Two more than sessions, so that one can read on while all sessions work.
		return token.Sessions + 2, nil
	}
	return defaultWorkers, nil
}

// describe answers with what the module is.
func (s *server) describe(id uint64) error {
	text, err := json.Marshal(s.module.Describe())
	if err != nil {
		return err
	}
	return s.out.send(id, statusOK, text)
}

func (s *server) fail(id uint64, err error) error {
	code, msg, cause := errorParts(err)
	return s.out.send(id, statusError, []byte(code), []byte(msg), []byte(cause))
}

// work reads a request, lets the next worker read, and answers. Workers take
// turns at reading, so that a request never changes goroutines.
func (s *server) work(ctx context.Context) error {
	var scratch []byte
	for {
		s.reading.Lock()
		f, err := s.in.next()
		if err != nil {
			s.reading.Unlock()
			if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		scratch = append(scratch[:0], f.body...)
		s.reading.Unlock()
		err = s.answer(ctx, f.id, op(f.kind), fields{rest: scratch})
		clear(scratch)
		if err != nil {
			return err
		}
	}
}

// answer carries out one request. Its error ends the connection.
func (s *server) answer(ctx context.Context, id uint64, what op, f fields) error {
	switch what {
	case opUnwrap:
		kek, wrapped, aad := f.next(), f.next(), f.next()
		return s.reply(id, f, func() ([]byte, error) { return s.module.Unwrap(ctx, kek, wrapped, aad) })
	case opWrap:
		kek, key, aad := f.next(), f.next(), f.next()
		return s.reply(id, f, func() ([]byte, error) { return s.module.Wrap(ctx, kek, key, aad) })
	case opSign:
		key := hsm.SigningKey{Public: f.next(), Handle: f.next()}
		message := f.next()
		return s.reply(id, f, func() ([]byte, error) { return s.module.Sign(ctx, key, message) })
	case opNewKEK:
		return s.reply(id, f, func() ([]byte, error) { return s.module.NewKEK(ctx) })
	case opCheck:
		return s.reply(id, f, func() ([]byte, error) { return nil, s.module.Check(ctx) })
	case opAnchor:
		return s.reply(id, f, func() ([]byte, error) { return s.module.Anchor(ctx) })
	case opSetAnchor:
		anchor := f.next()
		return s.reply(id, f, func() ([]byte, error) { return nil, s.module.SetAnchor(ctx, anchor) })
	case opNewSigningKey:
		return s.newSigningKey(ctx, id, f)
	case opNewAccountKey, opImportAccountKey, opSignDigest, opDestroyAccountKey:
		return s.account(ctx, id, what, f)
	case opInit:
		if err := s.module.Init(ctx); err != nil {
			return s.fail(id, err)
		}
		return s.describe(id) // which says more now
	}
	return errFrame
}

// reply answers with the one field that call returns.
func (s *server) reply(id uint64, f fields, call func() ([]byte, error)) error {
	if !f.done() {
		return errFrame
	}
	result, err := call()
	if err != nil {
		return s.fail(id, err)
	}
	defer clear(result) // may be a key
	return s.out.send(id, statusOK, result)
}

func (s *server) newSigningKey(ctx context.Context, id uint64, f fields) error {
	if !f.done() {
		return errFrame
	}
	key, err := s.module.NewSigningKey(ctx)
	if err != nil {
		return s.fail(id, err)
	}
	return s.out.send(id, statusOK, key.Public, key.Handle, flag(key.Resident))
}
