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
// The curve is libsecp256k1's, from go-ethereum. What decides about transactions is
// this package's own, and small: the readers of call data and of EIP-712 messages,
// and the encoding of what is signed. Tests compare each with go-ethereum's.
package evm
