// Package provider knows how model providers speak: what their requests, answers
// and streams look like, and where in them people, programs and models say
// something.
//
// ParseRequest and ParseResponse take a body apart into Texts, each with who says
// it (Role) and what it is (Kind); Rewrite puts others in their place. A Stream
// does the same while an answer arrives: the text of each Channel runs through a
// Filter, which may hold back what it cannot judge yet, and what the Stream
// writes is again a stream that the provider's own client understands. Only
// JSON strings that have to change are encoded anew; every other byte is passed
// on as it came.
//
// Nothing is left out: a string in a place that this package does not know is a
// Text as well, of Kind Other, and so are names of free-form members and
// identifiers. Left out are only the words of the protocols themselves and what
// is no text, such as the bytes of an image. Tool arguments that are JSON inside
// a string, and texts that travel as base64, are Texts in the clear.
//
// A text that the provider has signed (the thinking of Anthropic's models) is
// shown and never changed: its reader would refuse it. It passes as it is or
// ends the message with ErrSigned.
//
// The package is pure. It must not know HTTP clients, secrets, or what a threat
// is: those belong to its importer.
package provider
