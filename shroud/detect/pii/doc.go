// Package pii finds personal data in text: addresses of e-mail, phones, cards,
// accounts, the identity numbers of some seventy countries, network and wallet
// addresses, and, less surely, names, places and dates.
//
// It works in three steps. The text is cut into tokens once, and each word is
// looked up in one lexicon. Candidates are then found by their shape, such as
// 999-99-9999, and tried with what proves them: a check digit, a country's
// length, a phone plan. What proof is left out, words nearby may make up for:
// nine digits are nothing, nine digits after "SSN" are something. At last
// overlapping matches are settled by score and length.
//
// Matches say how sure they are. Structured kinds rest on validators. Names,
// street addresses, organisations, places, dates and ages rest on rules about
// their surroundings, in East Asia on surnames in their places; Weak tells them apart, and nobody should block on them.
//
// The package must not know what becomes of a match, who asks, or where the
// text is from. It holds no state; the work is linear in the text.
package pii
