package intents

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Chain is a network of the registry.
type Chain struct {
	ID          id.ID     `json:"id"` // of the registry's row, not of the network
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name"`
	ChainID     uint64    `json:"chain_id"` // EIP-155
	RPC         []string  `json:"rpc,omitempty"`
	WebSocket   string    `json:"ws,omitempty"`
	Explorer    string    `json:"explorer,omitempty"`
	Native      string    `json:"native"` // symbol of the coin that pays for gas; it has 18 decimals
	Testnet     bool      `json:"testnet,omitempty"`
	Enabled     bool      `json:"enabled"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// Bounds of a registry's row.
const (
	maxChains = 500
	maxRPC    = 8
	maxURL    = 2048
	maxLabel  = 64
)

var chainName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

// check says what is wrong with c as a row of the registry, or nil.
func (c Chain) check() error {
	switch {
	case !chainName.MatchString(c.Name) || isNumber(c.Name):
		return ErrChain.Detail("name must be 1 to 64 lower-case letters, digits and hyphens, and not a number")
	case c.ChainID == 0 || c.ChainID > maxChainID:
		return ErrChain.Detail("chain_id must be 1 to %d", uint64(maxChainID))
	case c.DisplayName == "" || len(c.DisplayName) > maxLabel:
		return ErrChain.Detail("display_name must have 1 to %d bytes", maxLabel)
	case c.Native == "" || len(c.Native) > 16:
		return ErrChain.Detail("native_currency must have 1 to 16 bytes")
	case len(c.RPC) > maxRPC:
		return ErrChain.Detail("rpc_url may name %d nodes", maxRPC)
	case c.Explorer != "" && !isURL(c.Explorer, "http", "https"):
		return ErrChain.Detail("explorer_url must be an http or https URL")
	case c.WebSocket != "" && !isURL(c.WebSocket, "ws", "wss"):
		return ErrChain.Detail("ws_url must be a ws or wss URL")
	}
	for _, u := range c.RPC {
		if !isURL(u, "http", "https") {
			return ErrChain.Detail("rpc_url must be one or several http or https URLs, with commas between them")
		}
	}
	return nil
}

// maxChainID is where EIP-2294 ends, so that v of a legacy signature still fits
// 53 bits.
const maxChainID = 1<<53/2 - 36

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

func isURL(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || len(s) > maxURL || u.Fragment != "" {
		return false
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return true
		}
	}
	return false
}

// ParseRPC splits a list of nodes' URLs as the API takes it: commas between them.
func ParseRPC(s string) []string {
	var out []string
	for _, u := range strings.Split(s, ",") {
		if u = strings.TrimSpace(u); u != "" {
			out = append(out, u)
		}
	}
	return out
}

// JoinRPC is the reverse of ParseRPC.
func JoinRPC(urls []string) string { return strings.Join(urls, ",") }

// PublicRPC names the nodes without what may be a credential: paths, queries
// and user names often are keys of a node's provider.
func (c Chain) PublicRPC() string {
	hosts := make([]string, 0, len(c.RPC))
	for _, raw := range c.RPC {
		if u, err := url.Parse(raw); err == nil {
			hosts = append(hosts, u.Scheme+"://"+u.Host)
		}
	}
	return strings.Join(hosts, ",")
}

// named reports whether a request means c by s: its name in any case, or its
// chain id in decimal.
func (c Chain) named(s string) bool {
	return strings.EqualFold(c.Name, s) || strconv.FormatUint(c.ChainID, 10) == s
}
