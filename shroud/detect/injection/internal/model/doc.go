// Package model turns text into features and features into scores.
//
// A text is folded (lower case, no accents), cut into tokens, and the tokens
// into blocks of some 160 bytes. Two linear models look at runs of blocks, and a
// third one at the sentences of documents:
//
//   - words: hashed words, pairs and triples of words, and runs of characters.
//     It knows wordings, and only those of the scripts it had enough text in.
//   - ideas: a word of any of some forty languages stands for an idea
//     (lexicon.txt), and the features are which ideas stand together, in which
//     order and how far apart. What it learns in one language holds in others.
//   - moods: a sentence that gives an order where it has no business to is an
//     attack, however plain it is. The features are how it begins, where it stands,
//     what is beside it, and what it is about.
//
// Rules are one more opinion: combinations of ideas that somebody wrote down.
// They are added up, but for moods, which counts where it is surer than the sum.
// Everything is integer arithmetic or float64 without fused operations, so that
// every machine computes the same.
//
// The package knows nothing of roles, verdicts or views beyond a flag.
package model
