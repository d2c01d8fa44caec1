package attest_test

import (
	"os"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/attest/attesttest"
)

// The folder that stands in for configfs-tsm is what any process of a guest would
// see; nothing is left in it, however often it is asked.
func TestQuoteFromConfigfs(t *testing.T) {
	s := newSite(t)
	s.config = attest.Config{TSM: attesttest.MountTSM(t, s.machine), Open: noDevice}
	for range 5 {
		if _, err := s.policy(t).Appraise(s.quote(t), s.want, s.now); err != nil {
			t.Fatalf("%v (%v)", err, cause(err))
		}
	}
	left, err := os.ReadDir(s.config.TSM)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	s.config.VMPL = 2
	if _, err := s.policy(t).Appraise(s.quote(t), s.want, s.now); code(err) != "attest_vmpl" {
		t.Errorf("asked for VMPL 2: %v", err)
	}
}
