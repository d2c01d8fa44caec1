package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func TestFramesArriveWholeHoweverTheStreamIsCut(t *testing.T) {
	var stream []byte
	for i := range 200 {
		stream = appendFrame(stream, uint64(i), byte(i), []byte("a"), bytes.Repeat([]byte{byte(i)}, i*997%maxFrame/2))
	}
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(stream), "halves": iotest.HalfReader(bytes.NewReader(stream)),
		"with the end": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		in := newFrameReader(r)
		for i := range 200 {
			f, err := in.next()
			if err != nil {
				t.Fatalf("%s: frame %d: %v", name, i, err)
			}
			body := fields{rest: f.body}
			a, b := body.next(), body.next()
			if f.id != uint64(i) || f.kind != byte(i) || string(a) != "a" || len(b) != i*997%maxFrame/2 || !body.done() {
				t.Fatalf("%s: frame %d came as %d, %d bytes", name, i, f.id, len(b))
			}
		}
		if _, err := in.next(); err != io.EOF {
			t.Errorf("%s: the end came as %v", name, err)
		}
	}
}

func TestReadFramesAreWiped(t *testing.T) {
	secret := []byte("the-data-key-the-data-key")
	stream := appendFrame(nil, 1, statusOK, secret)
	stream = appendFrame(stream, 2, statusOK, []byte("other"))
	in := newFrameReader(bytes.NewReader(stream))
	for range 2 {
		if _, err := in.next(); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Contains(in.buf, secret) {
		t.Error("a key stayed in the read buffer")
	}
}

func TestWrittenFramesAreWiped(t *testing.T) {
	secret := []byte("the-data-key-the-data-key")
	w := frameWriter{w: io.Discard}
	for range 3 {
		if err := w.send(1, statusOK, secret); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Contains(w.spare[:cap(w.spare)], secret) || bytes.Contains(w.pending[:cap(w.pending)], secret) {
		t.Error("a key stayed in the write buffer")
	}
}

func TestFramesThatWaitAreWipedWhereTheyWere(t *testing.T) {
	secret := []byte("the-data-key-the-data-key")
	w := frameWriter{w: io.Discard, writing: true} // another goroutine is at it
	if err := w.send(1, statusOK, secret); err != nil {
		t.Fatal(err)
	}
	before := w.pending
	if err := w.send(2, statusOK, make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	if &before[0] == &w.pending[0] || bytes.Contains(before, secret) {
		t.Error("a key stayed where the buffer was before it grew")
	}
	if !bytes.Contains(w.pending, secret) {
		t.Error("the frame was lost")
	}
}

func TestErrorsCrossTheSocketAsThemselves(t *testing.T) {
	for _, e := range []*fault.Error{
		hsm.ErrUnavailable, hsm.ErrAuthentic, hsm.ErrWrongPIN, hsm.ErrNoRootKey, hsm.ErrUnsupported, hsm.ErrFull, hsm.ErrLimit, hsm.ErrSealed,
		hsm.ErrNoAccountKey, hsm.ErrScalar,
	} {
		sent := fmt.Errorf("outer: %w", e.Detail("in other words").Because(errors.New("C_Sign: CKR_X")))
		code, msg, cause := errorParts(sent)
		f := appendFrame(nil, 1, statusError, []byte(code), []byte(msg), []byte(cause))
		got := parseError(f[frameHead:])
		if !errors.Is(got, e) || fault.KindOf(got) != e.Kind || fault.As(got).Msg != "in other words" || fault.As(got).Err.Error() != "C_Sign: CKR_X" {
			t.Errorf("%s came as %v", e.Code, got)
		}
	}
	code, msg, cause := errorParts(errors.New("disk on fire"))
	got := parseError(appendFrame(nil, 1, statusError, []byte(code), []byte(msg), []byte(cause))[frameHead:])
	if fault.As(got) != nil || !strings.Contains(got.Error(), "disk on fire") {
		t.Errorf("an internal fault came as %v", got)
	}
}

// pipe is a peer without process.
type pipe struct{ net.Conn }

func (pipe) finish()            {}
func (pipe) wait(time.Duration) {}

func TestEndedLinkFailsAllCalls(t *testing.T) {
	near, far := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	l := newLink(pipe{near})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := l.do(context.Background(), time.Minute, opCheck); !errors.Is(err, hsm.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
	for {
		l.mu.Lock()
		n := len(l.waiting)
		l.mu.Unlock()
		if n == 20 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_ = far.Close()
	wg.Wait()
	if _, err := l.do(context.Background(), time.Minute, opCheck); !errors.Is(err, hsm.ErrUnavailable) {
		t.Errorf("after the end: %v", err)
	}
}

// A child must not be able to crash the daemon, whatever it sends.
func FuzzClientReadsAnything(f *testing.F) {
	f.Add(appendFrame(nil, 1, statusOK, []byte("key")))
	f.Add(appendFrame(nil, 1, statusError, []byte("hsm_unavailable"), []byte("m"), nil))
	f.Add(appendFrame(nil, 1, statusOK, make([]byte, 65), []byte("handle"), []byte{1}))
	f.Add(appendFrame(nil, 1, statusOK, make([]byte, 64)))
	f.Add([]byte{0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, stream []byte) {
		near, far := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, far) }()
		l := newLink(pipe{near})
		done := make(chan struct{})
		go func() {
			defer close(done)
			f := fields{}
			f.rest, _ = l.do(context.Background(), time.Minute, opUnwrap)
			_, _ = one(f, nil)
			if key, err := accountReply(f, nil); err == nil && len(key.Handle) > maxFrame {
				t.Errorf("a handle of %d bytes", len(key.Handle))
			}
		}()
		_, _ = far.Write(stream)
		_ = far.Close()
		<-done
	})
}

// FuzzRequest: a request with any body is answered or ends the connection, and
// the frame reader agrees with the writer.
func FuzzRequest(f *testing.F) {
	f.Add(byte(opUnwrap), appendFrame(nil, 0, 0, []byte("kek"), []byte("wrapped"), []byte("aad"))[frameHead:])
	f.Add(byte(opSign), []byte{0x80})
	f.Add(byte(opNewAccountKey), []byte{})
	f.Add(byte(opImportAccountKey), appendFrame(nil, 0, 0, make([]byte, 32))[frameHead:])
	f.Add(byte(opSignDigest), appendFrame(nil, 0, 0, make([]byte, 65), []byte("handle"), make([]byte, 32))[frameHead:])
	f.Add(byte(opSignDigest), appendFrame(nil, 0, 0, make([]byte, 64), []byte("handle"), make([]byte, 31))[frameHead:])
	f.Add(byte(opDestroyAccountKey), appendFrame(nil, 0, 0, make([]byte, 65), []byte("handle"))[frameHead:])
	f.Add(byte(opOpen), appendFrame(nil, 0, 0, Token{Token: "t", PIN: plain.FromString("1")}.parts()...)[frameHead:])
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		if tok, err := parseToken(body); err == nil && (tok.Sessions < 0 || tok.Handles < 0) {
			t.Fatalf("parsed to %+v", tok)
		}
		s := &server{module: refuser{}, out: frameWriter{w: io.Discard}}
		err := s.answer(t.Context(), 1, op(kind), fields{rest: body})
		if err != nil && !errors.Is(err, errFrame) {
			t.Fatalf("got %v", err)
		}
	})
}

// refuser is a module that refuses everything.
type refuser struct{ hsm.Module }

func (refuser) Describe() hsm.Description               { return hsm.Description{} }
func (refuser) Check(context.Context) error             { return hsm.ErrNoRootKey }
func (refuser) Init(context.Context) error              { return hsm.ErrFull }
func (refuser) NewKEK(context.Context) (hsm.KEK, error) { return nil, hsm.ErrNoRootKey }
func (refuser) NewSigningKey(context.Context) (k hsm.SigningKey, err error) {
	return k, hsm.ErrNoRootKey
}
func (refuser) Anchor(context.Context) ([]byte, error)  { return nil, hsm.ErrNoRootKey }
func (refuser) SetAnchor(context.Context, []byte) error { return hsm.ErrNoRootKey }
func (refuser) Sign(context.Context, hsm.SigningKey, []byte) ([]byte, error) {
	return nil, hsm.ErrAuthentic
}
func (refuser) Wrap(context.Context, hsm.KEK, []byte, []byte) ([]byte, error) {
	return nil, hsm.ErrAuthentic
}
func (refuser) Unwrap(context.Context, hsm.KEK, []byte, []byte) ([]byte, error) {
	return nil, hsm.ErrAuthentic
}

func (refuser) NewAccountKey(context.Context) (k hsm.AccountKey, err error) {
	return k, hsm.ErrNoRootKey
}

func (refuser) ImportAccountKey(_ context.Context, scalar []byte) (k hsm.AccountKey, err error) {
	return k, hsm.ErrScalar
}

func (refuser) SignDigest(context.Context, hsm.AccountKey, [32]byte) (sig [64]byte, err error) {
	return sig, hsm.ErrNoAccountKey
}

func (refuser) DestroyAccountKey(context.Context, hsm.AccountKey) error { return hsm.ErrNoAccountKey }
