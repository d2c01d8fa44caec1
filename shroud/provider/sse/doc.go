// Package sse reads and writes server-sent events, the stream format of
// https://html.spec.whatwg.org/multipage/server-sent-events.html.
//
// An Event keeps the bytes it came as, so that what nobody changes is passed on
// as it was: its line ends, comments, and fields that this package does not know.
// Memory is bounded by the largest event a Reader is told to take, however long
// the stream.
//
// It must not know what the events are about.
package sse
