package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/shroud/meter"
)

func (s *Server) priceRoutes() []route {
	const prices = "/v1/admin/llm-prices"
	return []route{
		handle(get, prices, "adminListLlmPrices", s.listPrices, who(human), doc("Admin", "List what models cost")),
		handle(put, prices, "adminReplaceLlmPrices", s.replacePrices, who(human), doc("Admin", "Replace one's own list of what models cost")),
	}
}

func (s *Server) listPrices(ctx context.Context, _ *none) (*reply[api.LLMPricesResponse], error) {
	own, err := s.prices.Own(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(wirePrices(own))
}

type replacePricesInput struct{ Body api.ReplaceLLMPricesRequest }

func (s *Server) replacePrices(ctx context.Context, in *replacePricesInput) (*reply[api.LLMPricesResponse], error) {
	own := listOf(in.Body.Prices, func(p api.LLMPrice) meter.Price { return meter.Price(p) })
	if err := s.prices.Replace(ctx, caller(ctx), own); err != nil {
		return nil, err
	}
	return answer(wirePrices(own))
}

func wirePrices(own []meter.Price) api.LLMPricesResponse {
	wire := func(p meter.Price) api.LLMPrice { return api.LLMPrice(p) }
	return api.LLMPricesResponse{Prices: listOf(own, wire), Builtin: listOf(meter.Builtin(), wire)}
}
