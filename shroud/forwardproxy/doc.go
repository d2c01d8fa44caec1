// Package forwardproxy is the proxy of agents that cannot set a base URL: their clients
// are told HTTPS_PROXY, and to trust its CA. One request goes through it as
//
//	who asks → is the host on the list → inspect → decide → values → host → screen
//
// A tunnel (CONNECT) is opened to hosts of the list alone, and ends here: the client is
// shown a certificate of the CA for the host that it named, and what comes through the
// tunnel is for that host or is refused. A request to a provider of models goes on
// through Shroud, as if it had come by Shroud's own door. Any other has the placeholders
// in its headers filled in under the rules of vault/use, may hold no value of the vaults
// itself, and loses those in its answer, which passes as a stream.
//
// The package must not know how agents prove themselves, where secrets and the keys of
// CAs are kept, or how a connection to elsewhere is made.
package forwardproxy
