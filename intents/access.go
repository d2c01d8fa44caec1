package intents

import (
	"strings"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// AccessSpec is an entry of an access list (EIP-2930) as agents write it.
type AccessSpec struct {
	Address string
	Slots   []string // 32 bytes in hex with 0x
}

// Bounds of an access list. Each entry and each slot costs gas, so that honest
// lists are short.
const (
	maxAccess      = 64
	maxAccessSlots = 256 // of all entries
)

func parseAccess(list []AccessSpec) ([]evm.Access, error) {
	if len(list) == 0 {
		return nil, nil
	}
	if len(list) > maxAccess {
		return nil, ErrRequest.Detail("access_list may have %d entries", maxAccess)
	}
	out, slots := make([]evm.Access, len(list)), 0
	for i, entry := range list {
		var err error
		if out[i].Address, err = evm.ParseAddress(entry.Address); err != nil {
			return nil, ErrRequest.Detail("access_list[%d].address must be an address: 0x and 40 hex digits, in one case or with the checksum of EIP-55", i)
		}
		if slots += len(entry.Slots); slots > maxAccessSlots {
			return nil, ErrRequest.Detail("access_list may have %d storage keys in all", maxAccessSlots)
		}
		for _, text := range entry.Slots {
			slot, err := parseHex(text)
			if err != nil || len(slot) != len(evm.Hash{}) {
				return nil, ErrRequest.Detail("access_list[%d].storageKeys must be hex with 0x, of 32 bytes each", i)
			}
			out[i].Slots = append(out[i].Slots, evm.Hash(slot))
		}
	}
	return out, nil
}

// accessText writes an access list in one line and one spelling, for the action
// that people agree to.
func accessText(list []evm.Access) string {
	entries := make([]string, len(list))
	for i, entry := range list {
		parts := []string{entry.Address.String()}
		for _, slot := range entry.Slots {
			parts = append(parts, slot.String())
		}
		entries[i] = strings.Join(parts, ":")
	}
	return strings.Join(entries, " ")
}
