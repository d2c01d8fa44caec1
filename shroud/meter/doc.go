// Package meter counts what agents take of models, and says when it is enough:
// requests of a minute and of a day, US dollars of a day. It also owns the prices
// that dollars come from.
//
// Counting is in memory, so that a request costs no commit. What is durable is a
// lease: a bit more than was counted, written before it is used. After a crash the
// lease counts as used, so that a limit is never passed, and a day may end a few
// requests early. Days are UTC's.
//
// It must not know what a request looks like or who serves it.
package meter
