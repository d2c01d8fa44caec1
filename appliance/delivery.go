package appliance

import (
	"time"

	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
	"github.com/oneclaw/oneclawd/vault/outbox/viewer"
	"github.com/oneclaw/oneclawd/vault/webhook"
)

// openMessages makes what people see of messages that are sent.
func (c *core) openMessages() error {
	ways, err := c.cfg.Egress.waysOut(c.allowsPrivate)
	if err != nil {
		return err
	}
	cas, err := c.cfg.Egress.trusted()
	if err != nil {
		return err
	}
	c.poster = ways.poster(egress.ClientOptions{RootCAs: cas})
	c.webhooks = &webhook.Service{DB: store.Runner[webhook.Tx](c.db), CheckURL: c.poster.CheckURL}
	c.messages = &viewer.Service{DB: store.Runner[viewer.Tx](c.db)}
	return nil
}

// delivery is what sends in the background.
type delivery struct {
	dispatcher outbox.Dispatcher
	follower   webhook.Follower
}

// answers is how many waits for the mail server one mail may cost: greeting,
// encryption, sign-in, envelope, text.
const answers = 6

// newDelivery makes ready what is configured. Without a mail server there is no
// sender for mails, and they wait where owners see them: trying them would use up
// their attempts, and they are to arrive when there is a server.
func (c *core) newDelivery() (*delivery, error) {
	db := store.Runner[webhook.Tx](c.db)
	senders := map[outbox.Channel]outbox.Sender{outbox.Webhook: &webhook.Deliverer{
		DB: db, Poster: c.poster, Letters: letter.Writer{Base: c.cfg.origin()}, Log: c.log,
	}}
	mails, err := c.cfg.mailSender(c.allowsPrivate)
	if err != nil {
		return nil, err
	}
	if mails != nil {
		senders[outbox.Mail] = mails
	} else {
		c.log.Info("no mail server is configured (mail.host): mails wait in the outbox; oneclawd outbox list shows them")
	}
	return &delivery{
		dispatcher: outbox.Dispatcher{
			DB: store.Runner[outbox.Tx](c.db), Senders: senders, Timeout: answers * time.Duration(c.cfg.Mail.Timeout), Log: c.log,
		},
		follower: webhook.Follower{DB: db, Events: c.audit, Log: c.log},
	}, nil
}
