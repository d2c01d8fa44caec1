// Package use owns the use of a secret by somebody who does not see it: which request
// to elsewhere a value may go into, that this was recorded before it left, and that
// the value does not come back.
//
// An agent writes a request with placeholders, {{secret:path}} or
// {{secret://vault_id/path}}, in headers and body; never in the URL, which ends
// in the logs of others. A value goes to the hosts that its own version names and
// nowhere else: whoever writes the value names them, in the same write, so that
// nobody can widen them and keep the value. A Binding is the other way: a person
// who may read a secret lets one agent use it at one base URL, where the
// appliance puts it in.
//
// A use is decided, counted and audited in one durable transaction, then the
// value is opened, then the request leaves through a Sender. What comes back loses
// every value that was used, and every other that the agent may use, in each form
// that a Filter knows, before anybody sees it.
//
// The package knows no transport and no way of finding a value in a text: a Sender
// and Screens are what it asks for.
package use
