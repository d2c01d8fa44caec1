// Package shroud is the proxy between agents and models. One call goes through it
// as
//
//	who asks → what for → inspect → decide → count → key → provider → filter → settle
//
// A request is taken apart by provider, its texts are inspected by detect and
// redact under the agent's configuration, and what the configuration forbids ends
// it. What comes back goes the same way, whole or event by event. Everything that
// is not a text passes as it came.
//
// It must not know how agents prove themselves, where secrets are kept, or how a
// connection is made: Agents, Manifests, Keys and the clients of its Upstreams are
// given to it.
package shroud
