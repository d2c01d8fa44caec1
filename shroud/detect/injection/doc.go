// Package injection says how much a text looks like an attempt to give a language
// model orders that are not its user's to give: to drop its instructions, to show
// them, to play somebody without rules, to act on what a document says.
//
// Two linear models and a set of rules look at every view of a text; see package
// model. The score is calibrated: 0.7 is what one harmless text in a hundred
// exceeds, of sources that the models had not seen. What a text came as matters:
// system and developer messages are configuration and do not belong here at all;
// in a document, an order to the assistant is itself the sign.
//
// The weights are made by command train, beside this package, from texts that are
// not in the repository; docs/inspection.md describes the data and the limits. The
// package knows nothing of policies, verdicts or where texts come from.
package injection
