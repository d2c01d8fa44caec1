package clocktest_test

import (
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
)

func TestStandsStillUntilItIsSet(t *testing.T) {
	c := clocktest.At(clocktest.Noon)
	want := func(at time.Time) {
		t.Helper()
		if now := c.Now(); !now.Equal(at) {
			t.Errorf("it is %v, want %v", now, at)
		}
	}
	want(clocktest.Noon)
	c.Add(time.Hour)
	want(clocktest.Noon.Add(time.Hour))
	c.Set(clocktest.Noon)
	want(clocktest.Noon)
}
