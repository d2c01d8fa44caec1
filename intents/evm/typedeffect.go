package evm

import "strings"

// TypedEffects says what a signed message would allow, if that is known. A
// message is known by its whole type, as the contracts that believe it hash it:
// one that differs in the name of a field is another, and what it would do is
// not known. Neither is it of messages to nobody in particular.
func TypedEffects(t TypedData) (effects []Effect, known bool, err error) {
	read, ok := messages[t.Type()]
	if !ok {
		read, ok = witnessed(t)
	}
	if !ok || t.domain.Contract.IsZero() {
		return nil, false, nil
	}
	m := message{fields: t.message, frame: frame{walk: newWalk(), self: t.domain.Contract, method: t.primary}}
	if read(m); m.walk.err != nil {
		return nil, true, m.walk.err
	}
	return m.walk.out, len(m.walk.out) > 0, nil
}

// message reads fields that are there, since the type says so.
type message struct {
	frame
	fields map[string]any
}

func (m message) address(name string) Address { return m.fields[name].(Address) }
func (m message) amount(name string) Amount   { return m.fields[name].(Amount) }

func (m message) within(name string) message {
	return message{m.frame, m.fields[name].(map[string]any)}
}

func (m message) each(name string) (out []message) {
	for _, v := range m.fields[name].([]any) {
		out = append(out, message{m.frame, v.(map[string]any)})
	}
	return out
}

const (
	permissions = "TokenPermissions(address token,uint256 amount)"
	details     = "PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)"

	authorization = "WithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"

	// What follows in these is whatever the spender has signed along.
	witnessOne  = "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,"
	witnessMany = "PermitBatchWitnessTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline,"
)

var messages = map[string]func(message){
	"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)": func(m message) {
		m.allows(token(ERC20, m.self), m.amount("value"), m.address("owner"), m.address("spender"))
	},
	"Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)": func(m message) {
		var n Amount
		if m.fields["allowed"].(bool) {
			n = MaxAmount()
		}
		m.allows(token(ERC20, m.self), n, m.address("holder"), m.address("spender"))
	},
	"Permit(address spender,uint256 tokenId,uint256 nonce,uint256 deadline)": func(m message) {
		m.allows(Asset{ERC721, m.self, m.amount("tokenId")}, NewAmount(1), Address{}, m.address("spender"))
	},
	"Transfer" + authorization: authorizes,
	"Receive" + authorization:  authorizes,

	"PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)" + details: func(m message) {
		m.permits(m.within("details"))
	},
	"PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)" + details: func(m message) {
		m.permits(m.each("details")...)
	},
	"PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)" + permissions: func(m message) {
		m.permits(m.within("permitted"))
	},
	"PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline)" + permissions: func(m message) {
		m.permits(m.each("permitted")...)
	},
	"SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice," +
		"address gasToken,address refundReceiver,uint256 nonce)": safeTx,
}

// witnessed recognises what Permit2 has hashed with a witness. It makes the type
// of a text of its own and one that it is given; the first has to be right, and
// so does the type of what is permitted.
func witnessed(t TypedData) (func(message), bool) {
	kind := t.Type()
	permitted := t.types["TokenPermissions"]
	if len(permitted) != 2 || permitted[0] != (field{"token", "address"}) || permitted[1] != (field{"amount", "uint256"}) {
		return nil, false
	}
	switch {
	case strings.HasPrefix(kind, witnessOne):
		return func(m message) { m.permits(m.within("permitted")) }, true
	case strings.HasPrefix(kind, witnessMany):
		return func(m message) { m.permits(m.each("permitted")...) }, true
	}
	return nil, false
}

// permits notes what a spender may move through Permit2.
func (m message) permits(list ...message) {
	for _, p := range list {
		m.allows(token(ERC20, p.address("token")), p.amount("amount"), Address{}, m.address("spender"))
	}
}

func authorizes(m message) {
	m.moves(token(ERC20, m.self), m.amount("value"), m.address("from"), m.address("to"))
}

// safeTx is a transaction of a Safe, of which the signer is an owner.
func safeTx(m message) {
	operation, _ := m.amount("operation").Uint64()
	m.refunds(m.amount("gasPrice"), m.address("gasToken"), m.address("refundReceiver"))
	m.perform(args{err: &m.walk.err}, m.address("to"), m.amount("value"), m.fields["data"].([]byte), int(operation))
}
