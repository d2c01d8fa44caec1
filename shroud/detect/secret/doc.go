// Package secret finds credentials in text: keys and tokens by the formats that
// their issuers publish, private keys, seed phrases, passwords in URLs and
// configuration, and what is assigned to a name that says it is one.
//
// One pass over the text looks for the literals that all rules begin with or stand beside: the
// prefixes of tokens, the names of services, words such as password. Only where one is found are
// rules tried, in a few hundred bytes around it. Most are loops over bytes; some two
// hundred are the regular expressions of gitleaks' default configuration, which are taken from its
// module when they are first needed, each behind a gate that rules out nearly all
// places.
//
// What looks like a credential and is none is ruled out by what it is made of: placeholders,
// examples of documentation, variables, hashes, UUIDs and words. Checksums
// decide where a format has one.
//
// The package knows nothing of who wrote the text or of what is to be done about a finding.
package secret
