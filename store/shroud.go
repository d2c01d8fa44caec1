package store

import (
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/activity"
	"github.com/oneclaw/oneclawd/shroud/meter"
	"github.com/oneclaw/oneclawd/shroud/pricelist"
)

// The tables of what agents take of models.
var (
	llmUsages = table[meter.Usage]{name: "llm-usage", version: 1}
	llmPrices = table[[]meter.Price]{name: "llm-price", version: 1}
)

var pricesKey = []byte("prices")

var (
	_ meter.Tx     = (*Tx)(nil)
	_ pricelist.Tx = (*Tx)(nil)
	_ activity.Tx  = (*Tx)(nil)
)

// LLMUsage implements meter.Tx.
func (t *Tx) LLMUsage(agent id.ID) (meter.Usage, bool, error) { return llmUsages.get(t, agent[:]) }

// PutLLMUsage implements meter.Tx.
func (t *Tx) PutLLMUsage(u meter.Usage) error { return llmUsages.put(t, u.Agent[:], u) }

// LLMPrices implements meter.Tx.
func (t *Tx) LLMPrices() ([]meter.Price, error) {
	all, _, err := llmPrices.get(t, pricesKey)
	return all, err
}

// PutLLMPrices implements meter.Tx.
func (t *Tx) PutLLMPrices(all []meter.Price) error {
	if len(all) == 0 {
		return llmPrices.delete(t, pricesKey)
	}
	return llmPrices.put(t, pricesKey, all)
}
