// Package jsonedit looks into a JSON text and replaces single tokens of it.
//
// Parse reads the text once and keeps where each token is, nothing else; a Node
// is such a place. Whoever understands what the text means walks the nodes and
// asks for replacements, and Apply writes the text anew: the bytes between the
// replaced tokens are the bytes that came in, so that what has no need to
// change does not, down to its spaces and escapes.
//
// What two parsers could read differently is refused: a name twice in one
// object, bytes that are no UTF-8, half of a surrogate pair, more than one
// value. Otherwise one could be shown to whoever inspects, and the other to
// whoever acts.
//
// It must not know what any text means: messages belong to its importers.
package jsonedit
