// Package egress is the one way out of the appliance: every connection that it
// opens to elsewhere goes through a Dialer, under one Policy.
//
// URLs come from people who may not be trusted with what this machine can reach:
// its own services, its neighbours, the metadata service of a cloud that gives
// away credentials. A name is therefore resolved once, each address it has is
// held against the policy, and what passed is what is dialled: a name that is
// harmless when it is looked at and is not a moment later gains nothing. The
// text of an address does not matter, since only what it resolves to is judged.
//
// Proxies that the environment names are not used: they would decide instead.
package egress
