package provider

import "strings"

// known reports whether a string is a word of the protocols: roles, types of
// parts, reasons to stop, the vocabulary of JSON Schema. Such words are not
// looked at, so each of them is listed whole.
func known(s string) bool {
	if len(s) <= 2 {
		return true
	}
	_, ok := words[s]
	return ok
}

// words are never changed.
var words = func() map[string]struct{} {
	set := map[string]struct{}{}
	for word := range strings.FieldsSeq(vocabulary) {
		set[word] = struct{}{}
	}
	return set
}()

// decides reports whether a member says what a request is. It is spelled small.
func decides(name string) bool {
	switch name {
	case "model", "messages", "stream", "tools", "role", "content", "tool_calls", "function", "arguments", "functions",
		"max_tokens", "max_completion_tokens", "max_output_tokens", "n", "best_of", "input", "instructions", "system", "prompt", "type", "text",
		"image_url", "tool_call_id", "name", "contents", "parts", "documents":
		return true
	}
	return false
}

const vocabulary = `
system developer user assistant tool function model
text image image_url input_text output_text input_image input_file input_audio file audio refusal
message content content_block thinking redacted_thinking reasoning reasoning_text summary_text document tool_use tool_result
tool_calls tool_call function_call function_call_output custom custom_tool_call server_tool_use search_result
base64 url media ephemeral enabled disabled adaptive auto none any required low medium high minimal detailed concise
stop length content_filter end_turn max_tokens stop_sequence pause_turn STOP MAX_TOKENS SAFETY COMPLETE
completed in_progress incomplete failed queued cancelled error
list object embedding response chat.completion chat.completion.chunk completion
text_delta input_json_delta thinking_delta signature_delta citations_delta
json_object json_schema text/plain application/json image/png image/jpeg image/webp image/gif application/pdf
string number integer boolean array null type properties description items enum format default title anyOf allOf oneOf
additionalProperties minimum maximum minLength maxLength minItems maxItems pattern const examples nullable
parameters arguments input_schema strict name role index input cache_control metadata
STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT AUTO ANY NONE
functionDeclarations parametersJsonSchema propertyOrdering responseSchema
default standard priority flex fast_mode disabled_by_default
created usage logprobs finish_reason system_fingerprint service_tier
prompt_tokens completion_tokens total_tokens prompt_tokens_details completion_tokens_details
cached_tokens audio_tokens reasoning_tokens accepted_prediction_tokens rejected_prediction_tokens
input_tokens output_tokens input_tokens_details output_tokens_details cache_creation_input_tokens
cache_read_input_tokens cache_creation ephemeral_5m_input_tokens ephemeral_1h_input_tokens server_tool_use
web_search_requests inference_geo
message_start message_delta message_stop content_block_start content_block_delta content_block_stop ping
`
