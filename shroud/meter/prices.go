package meter

import (
	"context"
	"fmt"
	"math"
	"path"
	"strings"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// ErrPrices: a table of prices that cannot be.
var ErrPrices = fault.New(fault.Invalid, "invalid_llm_prices", "Not a table of prices")

// Price is what a million tokens of a model cost, in US dollars.
type Price struct {
	Provider string  `json:"provider"`
	Model    string  `json:"model"` // a name, or a pattern with * and ?
	Input    float64 `json:"input"`
	Output   float64 `json:"output"`
}

// MaxPrices bounds a table.
const MaxPrices = 2000

// Table is a price list. The first entry that fits counts.
type Table struct{ prices []Price }

// NewTable checks the prices of an operator, which come before the built-in ones.
func NewTable(own []Price) (Table, error) {
	if len(own) > MaxPrices {
		return Table{}, ErrPrices.Detail("A table has at most %d prices", MaxPrices)
	}
	for i, p := range own {
		_, err := path.Match(p.Model, "")
		if p.Provider == "" || p.Model == "" || err != nil || !sane(p.Input) || !sane(p.Output) {
			return Table{}, ErrPrices.Detail("Price %d needs a provider, a model name or pattern, and input and output of 0 to %d US dollars a million tokens", i+1, int(dearest))
		}
	}
	return Table{append(append([]Price(nil), own...), builtin...)}, nil
}

// dearest is above every price there is, in US dollars a million tokens.
const dearest = 100_000

func sane(price float64) bool { return price >= 0 && price <= dearest && !math.IsNaN(price) }

// Find returns the price of a model. What is not in the table costs what is
// dearest at its provider, so that a budget holds for it too; a provider without
// any price, as the models on the site's own network have, costs nothing.
func (t Table) Find(provider, model string) (p Price, listed bool) {
	p = Price{Provider: provider, Model: model}
	for _, have := range t.prices {
		if !strings.EqualFold(have.Provider, provider) {
			continue
		}
		if ok, err := path.Match(have.Model, model); err == nil && ok {
			return have, true
		}
		p.Input, p.Output = max(p.Input, have.Input), max(p.Output, have.Output)
	}
	return p, false
}

// Cost is what tokens cost.
func (p Price) Cost(input, output int64) MicroUSD {
	return USD((float64(max(0, input))*p.Input + float64(max(0, output))*p.Output) / 1e6)
}

// Prices returns the table as it is now, and the operator's part of it.
func (m *Meter) Prices(ctx context.Context) (t Table, own []Price, err error) {
	err = m.db.View(ctx, func(tx Tx) (err error) {
		own, err = tx.LLMPrices()
		return err
	})
	if err != nil {
		return Table{}, nil, fmt.Errorf("meter: prices: %w", err)
	}
	t, err = NewTable(own)
	return t, own, err
}

// Builtin returns the prices that come after every operator's, in the order in which
// they count.
func Builtin() []Price { return append([]Price(nil), builtin...) }
