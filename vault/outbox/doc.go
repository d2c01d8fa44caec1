// Package outbox keeps messages that must reach somebody until they did.
//
// A message is put here in the transaction of what it tells of, so the one is
// never durable without the other, and no request waits for a mail server or a
// receiver of webhooks. The Dispatcher takes what is due, hands it to the Sender
// of its channel and marks the outcome. Whatever dies in between, the message is
// tried again under the same identifier, which receivers see: delivery is at
// least once, and a receiver can tell that it is the second time.
//
// A failure is tried again after a minute, then after two, four and so on up to
// six hours, until NotAfter; some failures are final at once. A channel without
// a Sender, as on a site without mail, keeps its messages until then, and people
// can look at them: see vault/outbox/viewer.
//
// Bodies may hold keys and tokens. They are wiped as soon as they have been
// delivered, and neither a log line nor a printed Message shows them.
//
// The package knows nothing of mail or HTTP, nor of who its readers are, so that
// every service may put messages here.
package outbox
