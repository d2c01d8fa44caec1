package faulthttp_test

import (
	"net/http"
	"testing"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/fault/faulthttp"
)

func TestEveryKindHasAStatus(t *testing.T) {
	for k := fault.Internal + 1; k <= fault.StorageFull; k++ {
		if s := faulthttp.Status(k); s < 400 || s == http.StatusInternalServerError {
			t.Errorf("kind %d is told as %d", k, s)
		}
	}
	for _, k := range []fault.Kind{fault.Internal, fault.StorageFull + 1} {
		if s := faulthttp.Status(k); s != http.StatusInternalServerError {
			t.Errorf("kind %d is told as %d", k, s)
		}
	}
}
