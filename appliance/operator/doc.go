// Package operator is the socket over which whoever runs the machine talks to
// the daemon on it: to ask how far it has come, to unseal it and to seal it, to
// have backups made and tried, and to rotate vaults' keys.
//
// It owns who may connect (the superuser and the daemon's own user, as the
// kernel names the peer), the requests and the answers, for both ends. It knows
// nothing of keys, of stores or of the API: what a request does is a Daemon's or
// a KeyKeeper's.
package operator
