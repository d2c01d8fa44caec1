// Package tlsconf gives listeners their certificate: one that somebody else looks
// after, in two files, or one of a CA that the appliance makes for itself. It says,
// too, which certificates clients have to show.
//
// Files are looked at every few seconds, and a certificate that changed is used
// from the next connection on; those that are open stay. A pair that does not
// fit, as while it is being replaced, is not taken, and the old one goes on.
//
// The CA of its own is for sites without one: it is trusted once and certifies
// this appliance alone. What it may certify is written into it, so that its key,
// if it is stolen, makes nobody a bank.
package tlsconf
