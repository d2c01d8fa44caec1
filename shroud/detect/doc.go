// Package detect inspects text: what is in it that attacks, deceives, hides, or
// must not get out.
//
// Inspect reads a text once and reports findings, each with its place, and the
// verdict that follows from the worst of them. It composes the packages below it:
// view undoes disguises and encodings, injection scores orders to the model, secret
// finds credentials, pii personal data. The other detectors are here, a file each:
// commands, social engineering, encodings, network, files, Unicode, hidden content.
// Their rules are names and severities that are published, and regular expressions;
// one pass over the text for literals decides which of those run, and where.
//
// A Policy is a compiled Config, which has the fields of an agent's shroud_config.
// It decides what counts; what is done about a finding is for whoever asks, by the
// action that the policy names. The package knows no agents, keys or messages.
package detect
