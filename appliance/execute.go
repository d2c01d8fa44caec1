package appliance

import (
	"time"

	"github.com/oneclaw/oneclawd/appliance/courier"
	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/shroud/manifest"
	"github.com/oneclaw/oneclawd/shroud/screen"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/use"
)

// openUses lets agents have secrets used in requests to elsewhere. What must not get
// to an agent is kept once, for this and for Shroud.
func (c *core) openUses() error {
	ways, err := c.cfg.Egress.waysOut(c.allowsPrivate)
	if err != nil {
		return err
	}
	cas, err := c.cfg.Egress.trusted()
	if err != nil {
		return err
	}
	c.manifests = &manifest.Keeper{Load: c.vaults.Manifest, Rights: c.db.Generation, Now: time.Now}
	c.uses = use.New(use.Config{
		DB: store.Runner[use.Tx](c.db), Vaults: c.vaults, Screens: screen.Screens{Manifests: c.manifests}, History: c.audit,
		Sender: courier.Courier{Client: ways.streamer(egress.ClientOptions{RootCAs: cas})},
	})
	return nil
}
