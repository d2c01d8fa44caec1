// Package site has what is decided for a whole organisation or a whole
// appliance before any request is looked at in particular: from which
// addresses an organisation may be used, the settings that operators change
// while the appliance runs, and maintenance mode, which is one of them.
//
// Admit is asked for every authenticated request, after it is known who asks.
// What it needs are two records under known keys, one per organisation and one
// for the appliance, which the store keeps in memory: a change takes effect
// with the next request, and there is nothing here to go stale.
package site
