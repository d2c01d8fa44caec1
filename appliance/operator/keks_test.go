package operator

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// fakeKeeper has one vault, "v".
type fakeKeeper struct{ generation uint32 }

func (k *fakeKeeper) KEKs(context.Context) ([]KEKs, error) {
	return []KEKs{{Vault: "v", Generation: k.generation, Older: []OlderKEK{{Module: "a", DEKs: 3}}}}, nil
}

func (k *fakeKeeper) RotateKEKs(_ context.Context, who Peer, r KEKRotation) (KEKRotated, error) {
	if !r.All && r.Vault != "v" {
		return KEKRotated{}, fault.New(fault.NotFound, "vault_not_found", "No such vault")
	}
	k.generation++
	module := "stays"
	if r.Module != nil {
		module = *r.Module
	}
	return KEKRotated{Vaults: 1, Failed: []KEKFailure{{Vault: module, Error: fmt.Sprint(who.UID)}}}, nil
}

func (k *fakeKeeper) RewrapKEKs(context.Context, Peer) (int, error) { return 7, nil }
func (k *fakeKeeper) Rewraps() ([]Rewrap, error)                    { return []Rewrap{{Vault: "v", Total: 9}}, nil }

func (k *fakeKeeper) VerifyKEKs(context.Context, Peer) (KEKsVerified, error) {
	return KEKsVerified{DEKs: 4, Broken: []BrokenDEK{{Vault: "v", Version: 2}}}, nil
}

func (k *fakeKeeper) AssignModule(_ context.Context, _ Peer, org, module string) error {
	if org != "o" || module != "m" {
		return fault.New(fault.Invalid, "unknown", "unknown")
	}
	return nil
}

func TestKeys(t *testing.T) {
	c := start(t, filepath.Join(t.TempDir(), "s"), &fake{})
	ctx := t.Context()
	for _, r := range []KEKRotation{{Vault: "v"}, {All: true}} {
		done, err := c.RotateKEKs(ctx, r)
		if err != nil || done.Vaults != 1 || done.Failed[0].Vault != "stays" || done.Failed[0].Error != fmt.Sprint(os.Geteuid()) {
			t.Errorf("%+v, %v", done, err)
		}
	}
	def := ""
	if done, err := c.RotateKEKs(ctx, KEKRotation{Vault: "v", Module: &def}); err != nil || done.Failed[0].Vault != "" {
		t.Errorf("to the default module: %+v, %v", done, err)
	}
	for _, r := range []KEKRotation{{}, {Vault: "v", All: true}} {
		if _, err := c.RotateKEKs(ctx, r); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if _, err := c.RotateKEKs(ctx, KEKRotation{Vault: "w"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
	if list, err := c.KEKs(ctx); err != nil || len(list) != 1 || list[0].Generation != 3 || list[0].Older[0].DEKs != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	if n, err := c.RewrapKEKs(ctx); err != nil || n != 7 {
		t.Errorf("%d, %v", n, err)
	}
	if list, err := c.Rewraps(ctx); err != nil || list[0].Total != 9 {
		t.Errorf("%+v, %v", list, err)
	}
	if v, err := c.VerifyKEKs(ctx); err != nil || v.DEKs != 4 || v.Broken[0].Version != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	if err := c.AssignModule(ctx, "o", "m"); err != nil {
		t.Error(err)
	}
	if err := c.AssignModule(ctx, "o", "n"); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
	if _, err := ask[struct{}](ctx, c, http.MethodPost, "/keks/assign", map[string]string{"organisation": "o"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an unknown field: %v", err)
	}
}
