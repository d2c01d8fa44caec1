// Package e2e tests the built oneclawd from outside, as its users run it: a
// process, its data folder, its HTTP API and the HSM behind it. What the
// packages promise one by one is here tried together, with the power cut, the
// HSM pulled out, the disk full and the files tampered with.
//
// TestMain builds the binary once; ONECLAW_BINARY names one that is there
// already. Every test has a data folder and a port of its own. A test that
// needs what the machine lacks is skipped, unless ONECLAW_REQUIRE lists it
// (softhsm, p11-kit, node, mailpit, tmpfs, fuse). What comes from npm is listed, with
// versions, in clients/package-lock.json, and installed into the user's cache
// folder. Four variables set how long the suite works: ONECLAW_KILLS, how often
// the daemon is killed, ONECLAW_CUTS, how often its power is cut, and
// ONECLAW_BENCH_SECRETS and ONECLAW_BENCH_TRANSACTIONS, how many secrets and
// transactions the benchmarks load.
//
// There is no product code here, and nothing imports this package.
package e2e
