// Package redact finds the vault's own values in text and replaces each by
// [REDACTED:path], in whole texts and in streams.
//
// A Matcher is made of a manifest: paths and their values. It knows each value in
// the forms it is likely to be written in: as it is, in base64 at any offset, in
// hex, escaped for URLs, JSON and HTML, and, where a value has structure, its long
// random parts by themselves (the lines of a key file, the fields of a document).
// It never changes; a new manifest makes a new Matcher, which a Holder puts in
// the place of the one before without making readers wait.
//
// The search looks at every eight bytes of the text once and asks a table whether
// any form has these eight bytes at the place it was entered under. The place is the
// rarest that the form has, so that forms with a common beginning do not slow it
// down. Its speed hardly depends on how many values there are.
//
// A Stream holds back no more than the end of the text that may be the beginning of a
// form. What it puts out does not depend on how the text was cut into pieces.
//
// Values shorter than Shortest bytes are not looked for: a PIN of four digits is in
// every second text. Matcher.Uncovered names their paths. Forms longer than a few
// hundred bytes are looked for in pieces, so that a part of a long value is found
// too and a stream never waits for much text.
//
// The package knows nothing of vaults, of who may read what, or of what else is looked for in
// text.
package redact
