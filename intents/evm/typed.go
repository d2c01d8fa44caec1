package evm

import (
	"errors"
	"fmt"
	"strconv"
)

// PersonalHash is what is signed of a message that personal_sign is asked for
// (EIP-191, version 0x45). The prefix keeps it from being a transaction.
func PersonalHash(message []byte) Hash {
	prefix := "\x19Ethereum Signed Message:\n" + strconv.Itoa(len(message))
	return keccak256([]byte(prefix), message)
}

// TypedData is a message of EIP-712: a struct that a contract will believe the
// signer about. It was read strictly. Whatever its digest covers is declared,
// of the declared type and in its range, and nothing else is in it; another
// reader of the same text cannot have shown anything else.
type TypedData struct {
	types   structs
	primary string
	domain  Domain
	message map[string]any // by the field; see structs.encode for the values' types
	digest  Hash
}

// Domain says whose messages these are. What a message does not say is zero; a
// message without chain is good on all of them.
type Domain struct {
	Name, Version string
	ChainID       uint64
	Contract      Address
	Salt          Hash
}

const domainType = "EIP712Domain"

// The only fields that a domain has, and their types.
var domainFields = map[string]string{
	"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address", "salt": "bytes32",
}

// ParseTypedData reads what eth_signTypedData_v4 takes: an object with types,
// primaryType, domain and message.
func ParseTypedData(raw []byte) (TypedData, error) {
	t, err := parseTyped(raw)
	if err != nil {
		return TypedData{}, ErrTypedData.Detail("The typed data cannot be read: %v", err)
	}
	return t, nil
}

func parseTyped(raw []byte) (t TypedData, err error) {
	v, err := strictJSON(raw)
	if err != nil {
		return t, err
	}
	top, ok := v.(map[string]any)
	if !ok || len(top) != 4 {
		return t, errors.New("it is not an object of types, primaryType, domain and message")
	}
	if t.types, err = parseStructs(top["types"]); err != nil {
		return t, err
	}
	if t.primary, ok = top["primaryType"].(string); !ok || t.types[t.primary] == nil || t.primary == domainType {
		return t, errors.New("its primaryType is not among the types")
	}
	separator, domain, err := t.types.hash(domainType, top["domain"])
	if err != nil {
		return t, fmt.Errorf("domain: %w", err)
	}
	if t.domain, err = t.types.domain(domain); err != nil {
		return t, err
	}
	message, fields, err := t.types.hash(t.primary, top["message"])
	if err != nil {
		return t, fmt.Errorf("message: %w", err)
	}
	t.message = fields
	t.digest = keccak256([]byte("\x19\x01"), separator[:], message[:])
	return t, nil
}

// Digest is what is signed.
func (t TypedData) Digest() Hash { return t.digest }

// Domain says whose messages these are.
func (t TypedData) Domain() Domain { return t.domain }

// Type is the type of the message as its hash has it (EIP-712, encodeType): the
// primary type with all its fields, then the types that these refer to.
func (t TypedData) Type() string { return t.types.encodeType(t.primary) }

// domain checks the fields that the domain declares and has.
func (s structs) domain(values map[string]any) (Domain, error) {
	var d Domain
	for _, f := range s[domainType] {
		if domainFields[f.name] != f.kind {
			return d, errors.New("domain: it has a field that domains do not have")
		}
	}
	d.Name, _ = values["name"].(string)
	d.Version, _ = values["version"].(string)
	d.Contract, _ = values["verifyingContract"].(Address)
	if salt, ok := values["salt"].([]byte); ok {
		d.Salt = Hash(salt)
	}
	if id, ok := values["chainId"].(Amount); ok {
		n, fits := id.Uint64()
		if !fits || n == 0 {
			return d, errors.New("domain: the chain's id is out of range")
		}
		d.ChainID = n
	}
	return d, nil
}
