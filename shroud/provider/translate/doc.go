// Package translate lets clients that speak OpenAI's chat completions talk to
// vendors that do not: Anthropic and Google.
//
// Request makes the vendor's request of a chat completion, Response and Stream
// make a chat completion of its answer. Inspection stays on the client's side of
// the translation: what goes to Request was looked at and rewritten, and what
// Stream makes is looked at before the client sees it, so that there is one form
// to inspect.
//
// What has no counterpart and would change the answer if it were left out is
// refused. What only tunes, such as a seed that the vendor has no word for, is
// left out.
//
// It must not know HTTP clients or keys.
package translate
