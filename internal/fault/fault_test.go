package fault_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
)

var errGone = fault.New(fault.Gone, "gone", "It is gone")

// A copy still is its sentinel, wherever it is wrapped, and hides its cause.
func TestCopies(t *testing.T) {
	err := fmt.Errorf("reading: %w", errGone.Because(io.ErrUnexpectedEOF).Detail("It is gone since %d", 7).After(time.Second))
	f := fault.As(err)
	if f == nil || f.Msg != "It is gone since 7" || f.RetryAfter != time.Second || f.Kind != fault.Gone {
		t.Fatalf("%+v", f)
	}
	if !errors.Is(err, errGone) || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fault.New(fault.Gone, "other", "")) {
		t.Errorf("%v is not what it was", err)
	}
	if strings.Contains(err.Error(), io.ErrUnexpectedEOF.Error()) {
		t.Errorf("the cause shows: %v", err)
	}
	if errGone.Err != nil || errGone.Msg != "It is gone" || errGone.RetryAfter != 0 {
		t.Errorf("the sentinel changed: %+v", errGone)
	}
}

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want fault.Kind
	}{
		{nil, fault.Internal}, {io.EOF, fault.Internal}, {errGone, fault.Gone},
		{errors.Join(io.EOF, errGone), fault.Gone}, {&fault.Error{Code: "forgotten"}, fault.Internal},
	} {
		if got := fault.KindOf(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
