package intents

import (
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// A Window sums what was spent in the last 24 hours, in slots of ten minutes. A
// slot counts until all of it is out of the window: a sum never misses anything
// younger than a day, and holds what is up to ten minutes older.
type Window struct {
	Slots []Slot `json:"slots,omitempty"` // oldest first, without empty ones
}

// Slot is what was reserved in ten minutes.
type Slot struct {
	Start  int64      `json:"start"` // in slots since 1970
	Amount evm.Amount `json:"amount"`
	Count  int        `json:"count"`
}

const (
	slotLength = 10 * time.Minute
	windowSize = 24 * time.Hour
)

func slotAt(t time.Time) int64 { return t.Unix() / int64(slotLength/time.Second) }

// at drops what is out of the window. The receiver stays as it is.
func (w Window) at(now time.Time) Window {
	first := slotAt(now.Add(-windowSize))
	out := Window{Slots: make([]Slot, 0, len(w.Slots)+1)}
	for _, s := range w.Slots {
		if s.Start >= first {
			out.Slots = append(out.Slots, s)
		}
	}
	return out
}

// total is what counts at now. A sum that does not fit is the largest amount
// there is: above every limit.
func (w Window) total(now time.Time) (amount evm.Amount, count int) {
	for _, s := range w.at(now).Slots {
		amount, count = add(amount, s.Amount), count+s.Count
	}
	return amount, count
}

// add reserves an amount at now.
func (w Window) add(now time.Time, amount evm.Amount, count int) Window {
	w = w.at(now)
	start := slotAt(now)
	for i := range w.Slots {
		if w.Slots[i].Start == start {
			w.Slots[i].Amount = add(w.Slots[i].Amount, amount)
			w.Slots[i].Count += count
			return w
		}
	}
	w.Slots = append(w.Slots, Slot{Start: start, Amount: amount, Count: count})
	return w
}

// release takes back what was reserved at a time. What is out of the window
// already needs no release.
func (w Window) release(now, reserved time.Time, amount evm.Amount, count int) Window {
	w = w.at(now)
	for i := range w.Slots {
		if w.Slots[i].Start == slotAt(reserved) {
			w.Slots[i].Amount = subtract(w.Slots[i].Amount, amount)
			w.Slots[i].Count = max(0, w.Slots[i].Count-count)
		}
	}
	return w
}

// add is a sum that stays at the largest amount there is where it does not fit:
// above every limit.
func add(a, b evm.Amount) evm.Amount {
	sum, err := a.Add(b)
	if err != nil {
		return evm.MaxAmount()
	}
	return sum
}

// subtract is what is left of a, which is nothing below zero.
func subtract(a, b evm.Amount) evm.Amount {
	rest, err := a.Sub(b)
	if err != nil {
		return evm.Amount{}
	}
	return rest
}
