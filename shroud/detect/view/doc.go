// Package view makes of one text all the texts that a model might read in it.
//
// Normalise undoes what Unicode offers for hiding: invisible characters,
// look-alike letters, presentation forms, reordering. It says what it found as
// Tricks, and leaves alone what languages need such characters for. Views then
// decodes what is encoded inside, again and again within a Budget, and takes out
// what a page hides from people's eyes. A View that is not the normalised text
// itself is only made where the result reads like text, so that hashes, keys and
// pictures do not become noise.
//
// The package judges nothing: whether a text is an attack, a secret or fine is for
// the packages that read its views. Offsets of everything lead back to the bytes
// of the original.
package view
