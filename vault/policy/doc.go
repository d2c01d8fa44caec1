// Package policy decides whether a principal may do an action on a secret
// path, now.
//
// # The terms
//
// A principal is who asks: a user or an agent. A policy is what was granted:
// these permissions, to this principal, on the paths of one vault that match a
// pattern, until it expires and while its conditions hold. Policies are OR-ed
// and there is no deny: nothing is allowed until some policy says so, and
// adding one never takes anything away. The principal that created a vault
// owns it and needs no policy there.
//
// An agent is fenced in twice more, because its token may leak. Its binding
// lists the vaults it may touch at all. Its scopes are patterns frozen into
// the token when it was issued: a ceiling that later policies cannot raise
// until the agent asks for a new token, while policies are read live, so that
// taking one away works on the next request.
//
// Evaluate checks in a published order, binding before scopes before policies,
// because clients react to the refusal: they fetch a new token when the scopes
// were too narrow and give up when the vault is out of reach.
//
// # Paths and patterns
//
// Every check compares a pattern with a path as bytes. That is only safe if a
// secret has one spelling, so no path is granted, to anybody, unless it is in
// the one canonical form that CanonicalPath knows. An encoded slash, a dot
// segment, a doubled slash or a letter outside ASCII is refused here even if
// every layer above let it through.
//
// # Purity
//
// Nothing here reads a clock, a store or the network: the same request and
// policies give the same decision. (Time zone rules are the one input from
// outside; they are compiled in, and the system's copy is used when it has
// one.) Whatever is malformed, unknown or left zero refuses.
package policy
