package intents

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// MessageType says how a message becomes what is signed.
type MessageType string

// The types, in the published words.
const (
	Personal  MessageType = "personal_sign" // EIP-191
	Typed     MessageType = "typed_data"    // EIP-712
	RawDigest MessageType = "eip712_digest" // 32 bytes of which nobody can tell what they mean
)

// MessageRequest is a message that an agent wants signed.
type MessageRequest struct {
	Type    MessageType
	Chain   string
	Message string          // Personal: text, or bytes as hex with 0x
	Typed   json.RawMessage // Typed
	Hash    string          // RawDigest
	KeyPath string
}

// SignedMessage is a message's signature.
type SignedMessage struct {
	Type      MessageType
	Chain     Chain
	From      evm.Address
	Digest    evm.Hash
	Signature []byte // 65 bytes: r, s, and 27 or 28
}

// maxMessage bounds a message, in bytes.
const maxMessage = 256 << 10

// SignMessage signs a message for an agent. A message that lets somebody move
// what the account has counts as if it had been moved: the same guardrails decide,
// and the same limits hold it, for good, since nobody can tell whether it will be
// used.
func (s *Service) SignMessage(ctx context.Context, p identity.Principal, agent id.ID, r MessageRequest) (SignedMessage, error) {
	m := &message{MessageRequest: r, task: task{asked: p, agent: agent, id: id.New()}}
	if err := m.parse(); err != nil {
		return SignedMessage{}, err
	}
	if err := s.findSigner(ctx, m); err != nil {
		return SignedMessage{}, err
	}
	if err := s.admitMessage(ctx, m); err != nil {
		return SignedMessage{}, err
	}
	ctx = context.WithoutCancel(ctx)
	sig, err := s.signDigest(ctx, m.signer, m.digest)
	if err == nil && !m.signer.soft() {
		_, frozen, why := s.Frozen(ctx, p) // while the HSM was at work
		if err = why; err == nil && frozen {
			err = ErrFrozen
		}
	}
	if err != nil {
		return SignedMessage{}, s.messageFailed(ctx, m, err)
	}
	return SignedMessage{Type: r.Type, Chain: m.chain, From: m.signer.address, Digest: m.digest, Signature: sig.Bytes()}, nil
}

// message is a request on its way to a signature.
type message struct {
	MessageRequest
	task
	digest evm.Hash
	typed  evm.TypedData
	known  bool     // what the typed data would bring about
	seen   proposal // when it was admitted
	held   []Spend
}

func (m *message) parse() (err error) {
	if m.KeyPath != "" {
		if m.path, err = vault.ParseSecretPath(m.KeyPath); err != nil {
			return err
		}
	}
	if len(m.Message) > maxMessage || len(m.Typed) > maxMessage {
		return ErrMessage.Detail("A message may have at most %d bytes", maxMessage)
	}
	switch m.Type {
	case Personal:
		m.digest = evm.PersonalHash(messageBytes(m.Message))
	case Typed:
		if m.typed, err = evm.ParseTypedData(m.Typed); err != nil {
			return err
		}
		m.digest = m.typed.Digest()
	case RawDigest:
		if m.digest, err = evm.ParseHash(m.Hash); err != nil {
			return ErrMessage.Detail("hash must be 0x and 64 hex digits")
		}
	default:
		return ErrMessage.Detail("intent_type must be personal_sign, typed_data, eip712_digest or transaction")
	}
	return nil
}

// messageBytes are the bytes that wallets take a text for: those that it spells
// if it is hex with 0x, or else its own.
func messageBytes(s string) []byte {
	if digits, ok := strings.CutPrefix(s, "0x"); ok {
		if b, err := hex.DecodeString(digits); err == nil {
			return b
		}
	}
	return []byte(s)
}

// findSigner finds the chain and the key, and what the message would allow.
func (s *Service) findSigner(ctx context.Context, m *message) error {
	m.parsed.chain = m.MessageRequest.Chain
	_, refusal, err := s.find(ctx, &m.task, nil)
	if err == nil && refusal == nil && m.Type == Typed {
		m.effects, m.known, err = evm.TypedEffects(m.typed)
		m.broken, err = err != nil, nil
	}
	if err == nil && refusal != nil {
		err = s.refused(ctx, m.event(), refusal)
	}
	return err
}

// maxNoted bounds a text of a message that is noted in its event, in bytes: an
// event with too much in it would keep no details at all.
const maxNoted = 512

// event starts the audit event of the message.
func (m *message) event() audit.Event {
	e := m.asked.Event(audit.MessageSign, "message", m.id.String())
	e.Details = audit.Details{"agent_id": m.agent.String(), "chain": m.task.chain.Name, "type": string(m.Type), "digest": m.digest.String()}
	if m.Type == Typed {
		d := m.typed.Domain()
		e.Details["typed_as"], e.Details["domain"], e.Details["verifying_contract"] = bounded(m.typed.Type(), maxNoted), bounded(d.Name, maxNoted), d.Contract.String()
	}
	return e
}

// admitMessage is the one transaction that decides and holds what is spent.
func (s *Service) admitMessage(ctx context.Context, m *message) error {
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		e := m.event()
		now := s.now()
		e.Time, e.Policies = now, m.signer.use.Policies
		refusal, err = m.admit(tx, s)
		if err != nil {
			return nil, err
		}
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		if err := m.signer.keepAddress(tx); err != nil {
			return nil, err
		}
		if m.counts() {
			if err := m.seen.hold(tx, m.spending(now), now); err != nil {
				return nil, err
			}
		}
		e.Details["from"] = m.signer.address.String()
		m.signer.describe(e.Details)
		return nil, audit.Write(ctx, tx, e)
	})
}

func (m *message) admit(tx Tx, s *Service) (refusal, err error) {
	now := s.now()
	a, refusal, err := authorize(tx, m.asked, m.agent, now)
	if err != nil || refusal != nil {
		return refusal, err
	}
	g, p, refusal, err := m.weigh(tx, a, s)
	if err != nil || refusal != nil {
		return refusal, err
	}
	if refusal = m.allowed(g); refusal != nil {
		return refusal, nil
	}
	if !m.counts() {
		p.day = Window{}
	}
	if refusal = firstRefusal(judge(g, p)); refusal != nil {
		return refusal, nil
	}
	if why := g.Approval.asks(p); why != nil {
		return ErrNeedsPeople, nil // they agree to transactions, which can be shown to them
	}
	refusal, err = m.sameKey(tx, now)
	m.seen, m.held = p, p.spends(g)
	return refusal, err
}

// allowed are the guardrails that only messages have.
func (m *message) allowed(g Guardrails) error {
	switch m.Type {
	case Personal:
		if g.NoPersonal {
			return ErrMessageType
		}
		return nil
	case RawDigest:
		if !g.RawDigests {
			return ErrRawDigest
		}
		return nil
	}
	d := m.typed.Domain()
	listed := slices.Contains(g.Domains, d.Contract)
	switch {
	case g.NoTyped:
		return ErrMessageType
	case len(g.Domains) > 0 && !listed:
		return ErrDomain.Detail("Access denied by allowed_domains: %s is not one of the agent's contracts", d.Contract)
	case d.ChainID != m.task.chain.ChainID:
		return ErrDomain.Detail("Access denied: the message is for chain %d, not for %s", d.ChainID, m.task.chain.Name)
	case !m.known && !listed:
		return ErrDomain.Detail("Access denied: what messages of this type allow is not known, so %s would have to be one of the agent's allowed_domains", d.Contract)
	}
	return nil
}

// counts reports whether the message moves something or allows it: it is a
// transaction of the day then, whether or not its asset has a limit.
func (m *message) counts() bool { return len(m.effects) > 0 }

// spending is the message as what windows hold.
func (m *message) spending(now time.Time) Intent {
	return Intent{ID: m.id, Agent: m.agent, Spends: m.held, CreatedAt: now}
}

// messageFailed gives back what was held for a message that could not be signed.
func (s *Service) messageFailed(ctx context.Context, m *message, why error) error {
	e := m.event()
	e.Outcome, e.Reason = audit.Failed, "internal"
	err := s.DB.Update(ctx, func(tx Tx) error {
		e := e
		e.Time = s.now()
		if err := audit.Write(ctx, tx, e); err != nil || !m.counts() {
			return err
		}
		return letGo(tx, m.spending(e.Time).moved(Released, e.Time), e.Time)
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "what an unsigned message would have spent stays held", "message", m.id, "error", err)
	}
	return why
}
