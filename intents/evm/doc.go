// Package evm is the vocabulary of the Ethereum virtual machine: addresses,
// amounts, transactions, signatures, the messages people sign, and what a call
// would move or allow.
//
// It is pure. It opens no connection, keeps no state, and knows nothing of who
// asks for a signature or why: package intents decides that, and package
// intents/node talks to chains. What comes from outside is parsed here once,
// strictly, into values that are right by construction; what is not understood
// is refused rather than guessed.
//
// Encodings and the curve are go-ethereum's. Two readers are this package's own,
// because they decide what is let through: that of call data and that of EIP-712
// messages. Tests compare both with go-ethereum's.
package evm
