package api

// LLMPrice is what a million tokens of a model cost, in US dollars.
type LLMPrice struct {
	Provider string  `json:"provider" maxLength:"64" doc:"openai, or any other name of a provider"`
	Model    string  `json:"model" maxLength:"256" doc:"A name, or a pattern with * and ?"`
	Input    float64 `json:"input" minimum:"0" doc:"US dollars for a million tokens that go to the model"`
	Output   float64 `json:"output" minimum:"0" doc:"US dollars for a million tokens that come from it"`
}

// ReplaceLLMPricesRequest has the operator's own prices.
type ReplaceLLMPricesRequest struct {
	Prices []LLMPrice `json:"prices" doc:"The first that fits counts, before the built-in ones. None: only those"`
}

// LLMPricesResponse is the whole price list. The first entry that fits a model counts.
type LLMPricesResponse struct {
	Prices  []LLMPrice `json:"prices" doc:"The operator's own"`
	Builtin []LLMPrice `json:"builtin" doc:"Those that come with the appliance, after them"`
}
