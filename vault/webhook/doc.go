// Package webhook tells an organisation's own systems what happened in it.
//
// A Subscription names a URL and the events to send there. Deliveries follow the
// audit log: the Follower reads it by sequence, makes a delivery of each event
// that somebody wants, and puts it into the outbox together with the place it
// has got to, in one transaction. So what is audited is delivered, at least
// once, whatever is killed when, and reading a secret costs nothing more.
//
// A delivery is signed with a key that only the receiver and the appliance have;
// Sign and Verify are the scheme. It holds what the audit API shows, which is
// never a value.
//
// The package decides what is sent where. How is a Poster's business, which is
// also the one to keep deliveries from reaching into networks they must not.
package webhook
