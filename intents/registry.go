package intents

import (
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// known are the networks of a new registry: 28 mainnets and 2 test networks,
// without nodes, since a site has its own. Ids and coins are those of
// https://chainlist.org (ethereum-lists/chains).
var known = []Chain{
	{ChainID: 1, Name: "ethereum", DisplayName: "Ethereum", Native: "ETH", Explorer: "https://etherscan.io"},
	{ChainID: 10, Name: "optimism", DisplayName: "OP Mainnet", Native: "ETH", Explorer: "https://optimistic.etherscan.io"},
	{ChainID: 25, Name: "cronos", DisplayName: "Cronos", Native: "CRO", Explorer: "https://cronoscan.com"},
	{ChainID: 56, Name: "bsc", DisplayName: "BNB Smart Chain", Native: "BNB", Explorer: "https://bscscan.com"},
	{ChainID: 100, Name: "gnosis", DisplayName: "Gnosis", Native: "xDAI", Explorer: "https://gnosisscan.io"},
	{ChainID: 137, Name: "polygon", DisplayName: "Polygon", Native: "POL", Explorer: "https://polygonscan.com"},
	{ChainID: 146, Name: "sonic", DisplayName: "Sonic", Native: "S", Explorer: "https://sonicscan.org"},
	{ChainID: 250, Name: "fantom", DisplayName: "Fantom Opera", Native: "FTM", Explorer: "https://ftmscan.com"},
	{ChainID: 324, Name: "zksync", DisplayName: "zkSync Era", Native: "ETH", Explorer: "https://era.zksync.network"},
	{ChainID: 480, Name: "worldchain", DisplayName: "World Chain", Native: "ETH", Explorer: "https://worldscan.org"},
	{ChainID: 1088, Name: "metis", DisplayName: "Metis Andromeda", Native: "METIS", Explorer: "https://andromeda-explorer.metis.io"},
	{ChainID: 1101, Name: "polygon-zkevm", DisplayName: "Polygon zkEVM", Native: "ETH", Explorer: "https://zkevm.polygonscan.com"},
	{ChainID: 1284, Name: "moonbeam", DisplayName: "Moonbeam", Native: "GLMR", Explorer: "https://moonscan.io"},
	{ChainID: 1329, Name: "sei", DisplayName: "Sei", Native: "SEI", Explorer: "https://seitrace.com"},
	{ChainID: 5000, Name: "mantle", DisplayName: "Mantle", Native: "MNT", Explorer: "https://mantlescan.xyz"},
	{ChainID: 8217, Name: "kaia", DisplayName: "Kaia", Native: "KAIA", Explorer: "https://kaiascan.io"},
	{ChainID: 8453, Name: "base", DisplayName: "Base", Native: "ETH", Explorer: "https://basescan.org"},
	{ChainID: 34443, Name: "mode", DisplayName: "Mode", Native: "ETH", Explorer: "https://explorer.mode.network"},
	{ChainID: 42161, Name: "arbitrum", DisplayName: "Arbitrum One", Native: "ETH", Explorer: "https://arbiscan.io"},
	{ChainID: 42170, Name: "arbitrum-nova", DisplayName: "Arbitrum Nova", Native: "ETH", Explorer: "https://nova.arbiscan.io"},
	{ChainID: 42220, Name: "celo", DisplayName: "Celo", Native: "CELO", Explorer: "https://celoscan.io"},
	{ChainID: 43114, Name: "avalanche", DisplayName: "Avalanche C-Chain", Native: "AVAX", Explorer: "https://snowtrace.io"},
	{ChainID: 59144, Name: "linea", DisplayName: "Linea", Native: "ETH", Explorer: "https://lineascan.build"},
	{ChainID: 80094, Name: "berachain", DisplayName: "Berachain", Native: "BERA", Explorer: "https://berascan.com"},
	{ChainID: 81457, Name: "blast", DisplayName: "Blast", Native: "ETH", Explorer: "https://blastscan.io"},
	{ChainID: 167000, Name: "taiko", DisplayName: "Taiko Alethia", Native: "ETH", Explorer: "https://taikoscan.io"},
	{ChainID: 534352, Name: "scroll", DisplayName: "Scroll", Native: "ETH", Explorer: "https://scrollscan.com"},
	{ChainID: 7777777, Name: "zora", DisplayName: "Zora", Native: "ETH", Explorer: "https://explorer.zora.energy"},
	{ChainID: 84532, Name: "base-sepolia", DisplayName: "Base Sepolia", Native: "ETH", Testnet: true, Explorer: "https://sepolia.basescan.org"},
	{ChainID: 11155111, Name: "sepolia", DisplayName: "Sepolia", Native: "ETH", Testnet: true, Explorer: "https://sepolia.etherscan.io"},
}

// firstRegistry is the registry of a new appliance.
func firstRegistry(now time.Time) []Chain {
	chains := make([]Chain, len(known))
	for i, c := range known {
		c.ID, c.Enabled, c.CreatedAt, c.UpdatedAt = id.New(), true, now, now
		chains[i] = c
	}
	return chains
}
