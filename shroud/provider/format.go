package provider

import (
	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// Format is the shape of a request and of its answer.
type Format uint8

// The formats. Opaque is for calls without a body that says anything, such as
// lists of models: what they answer is looked at as a whole.
const (
	Opaque           Format = iota
	OpenAIChat              // also Mistral, and every server that is "compatible"
	OpenAIResponses         //
	OpenAIEmbeddings        // also Mistral's
	AnthropicMessages
	GeminiContent // generateContent, countTokens, embedContent
	CohereChat
	CohereEmbed
)

// dialect is what is particular to a format. A nil function is for what it
// does not have.
type dialect struct {
	request  func(*walker, *Request, jsonedit.Node)
	response func(*walker, *Response, jsonedit.Node)
	event    func(*walker, *step, jsonedit.Node)
	// held is an event that says the rest of a channel.
	held func(*Stream, Channel, string) frame
	// failure is the body of an error in the middle of a stream.
	failure func(s *Stream, status int, message string) frame
}

// frame is an event to be written.
type frame struct {
	name string
	data []byte
}

func (f Format) dialect() dialect {
	switch f {
	case OpenAIResponses:
		return dialect{responsesRequest, responsesResponse, responsesEvent, responsesHeld, responsesFailure}
	case OpenAIEmbeddings, CohereEmbed:
		return dialect{embedRequest, embedResponse, nil, nil, nil}
	case GeminiContent:
		return dialect{geminiRequest, geminiResponse, geminiEvent, geminiHeld, nil}
	case CohereChat:
		return dialect{chatRequest, cohereResponse, cohereEvent, cohereHeld, cohereFailure}
	case OpenAIChat:
		return dialect{chatRequest, chatResponse, chatEvent, chatHeld, chatFailure}
	case AnthropicMessages:
		return dialect{anthropicRequest, anthropicResponse, anthropicEvent, anthropicHeld, anthropicFailure}
	}
	return dialect{}
}
