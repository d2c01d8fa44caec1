package archtest

// may lists, for each package of this module, the others it may import outside
// its tests. A package that is not listed may not exist: add it with its edges,
// and say in the commit why the edge points that way.
//
// The order is by level: no package imports one further down.
var may = map[string][]string{
	// The kernels: small vocabularies that everybody shares.
	"internal/fault": {},
	"internal/plain": {},
	"internal/txn":   {},
	"internal/id":    {"internal/fault"},

	// How errors are told at doors that speak HTTP.
	"internal/fault/faulthttp": {"internal/fault"},

	// What the script for bash of both programs begins with.
	"internal/completion": {},

	// Keys. Only the broker's process runs hsm/pkcs11, so that a driver that
	// crashes does not take the daemon with it: hsm/broker must not import it.
	"hsm":         {"internal/fault"},
	"hsm/lockmem": {},
	"hsm/soft":    {"hsm"},
	"hsm/local":   {"hsm", "hsm/lockmem", "hsm/soft", "internal/plain"},
	"hsm/pkcs11":  {"hsm", "hsm/lockmem", "hsm/soft", "internal/fault", "internal/plain"},
	"hsm/broker":  {"hsm", "internal/fault", "internal/plain"},
	"hsm/hsmtest": {"hsm", "hsm/local", "hsm/soft", "internal/plain"},

	// The domain: no transport, no storage engine, no wire types.
	"vault/audit":    {"internal/fault", "internal/id", "internal/txn"},
	"vault/policy":   {"internal/fault", "internal/id"},
	"vault/envelope": {"hsm", "internal/fault", "internal/id", "internal/plain"},
	"vault/identity": {"hsm", "internal/fault", "internal/id", "internal/plain", "internal/txn", "vault/audit", "vault/policy"},
	"vault": {
		"hsm", "internal/fault", "internal/id", "internal/plain", "internal/txn",
		"vault/audit", "vault/envelope", "vault/identity", "vault/policy",
	},
	"vault/agents": {
		"internal/fault", "internal/id", "internal/plain", "internal/txn",
		"intents/evm",                                                                                   // the form of its guardrails
		"vault", "vault/audit", "vault/identity", "vault/outbox", "vault/outbox/letter", "vault/policy", // enrolment writes a mail
	},
	"vault/outbox": {"internal/fault", "internal/id", "internal/txn"},
	"vault/webhook": {
		"internal/fault", "internal/id", "internal/txn",
		"vault/audit", "vault/identity", "vault/outbox", "vault/outbox/letter",
	},
	"vault/site":          {"internal/fault", "internal/id", "internal/txn", "vault/audit", "vault/identity", "vault/policy"},
	"vault/outbox/letter": {"internal/id", "vault/outbox"},
	"vault/use": {
		"internal/fault", "internal/id", "internal/plain", "internal/txn",
		"vault", "vault/audit", "vault/identity", "vault/policy",
	},
	"vault/share": {
		"internal/fault", "internal/id", "internal/plain", "internal/txn",
		"vault", "vault/audit", "vault/identity", "vault/outbox", "vault/outbox/letter", "vault/policy", // it tells people by mail
		"vault/site", // the IP rules of an organisation hold for whoever reads what it shares
	},
	"vault/people": {
		"internal/fault", "internal/id", "internal/txn",
		"vault/audit", "vault/identity", "vault/outbox", "vault/outbox/letter",
		"vault/site", // who may sign up is a setting
	},
	"vault/outbox/viewer": {
		"internal/fault", "internal/id", "internal/txn", "vault/audit", "vault/identity", "vault/outbox",
	},

	// Chains: what their transactions and messages are, without knowing who signs
	// them or why.
	"intents/evm":            {"internal/fault"},
	"intents/node":           {"internal/fault", "intents/evm"}, // over a client of egress
	"intents/evm/evmtest":    {"intents/evm"},
	"intents/node/anviltest": {"intents/evm", "internal/porttest"},
	"intents": {
		"hsm", "internal/fault", "internal/id", "internal/plain", "internal/txn", "intents/evm", "intents/node",
		"vault", "vault/audit", "vault/identity", "vault/outbox", "vault/outbox/letter", "vault/policy", "vault/site",
	},

	// Models: what agents take of them, and what must not get to them.
	"shroud/meter":             {"internal/fault", "internal/id", "internal/txn"},
	"shroud/tokens":            {},
	"shroud/tokens/vocabulary": {},
	"shroud": {
		"internal/fault", "internal/fault/faulthttp", "internal/id", "internal/plain", "vault/identity",
		"shroud/detect", "shroud/detect/pii", "shroud/detect/secret", "shroud/detect/view",
		"shroud/meter", "shroud/provider", "shroud/provider/translate", "shroud/redact", "shroud/tokens",
	},
	"shroud/pricelist": {"internal/fault", "internal/txn", "shroud/meter", "vault/audit", "vault/identity", "vault/site"}, // who may change prices
	"shroud/activity":  {"internal/fault", "internal/id", "internal/txn", "vault/audit", "vault/identity"},
	"shroud/manifest":  {"shroud/redact", "vault", "vault/identity"},
	"shroud/screen":    {"shroud/detect/view", "shroud/redact", "vault/identity", "vault/use"}, // no answer is shown before values are out of it

	// Who asks, what may go where, and what is a call of a model, are for others to say.
	"shroud/forwardproxy":           {"internal/fault", "internal/fault/faulthttp", "internal/id", "internal/plain", "shroud", "vault/identity", "vault/use"},
	"shroud/forwardproxy/authority": {"internal/fault", "internal/txn", "vault/audit"},

	// Storage implements what the domain asks for, and so imports it.
	"store": {
		"internal/fault", "internal/id", "internal/plain", "internal/txn", "intents", "intents/evm", "shroud/activity", "shroud/forwardproxy/authority", "shroud/meter", "shroud/pricelist",
		"vault", "vault/audit", "vault/identity", "vault/outbox", "vault/people", "vault/policy", "vault/share", "vault/site", "vault/use", "vault/webhook",
	},
	"store/events":    {"internal/fault", "internal/id", "internal/plain", "shroud/activity", "vault/audit"},
	"store/storetest": {"internal/clocktest", "internal/id", "internal/plain", "store", "vault/audit"},

	// The door.
	"appliance/api":             {},
	"appliance/client":          {"appliance/api", "appliance/client/cmek"}, // what any program elsewhere could do
	"appliance/client/cmek":     {},                                         // arithmetic on values
	"appliance/client/attested": {"appliance/attest", "appliance/client"},   // connections that end in what a policy accepts
	"appliance/inspection":      {"appliance/api", "shroud/detect"},
	"appliance/httpapi": {
		"appliance/api", "appliance/inspection", "hsm", "internal/fault", "internal/fault/faulthttp", "internal/id", "internal/plain", "intents", "intents/evm", "intents/node",
		"shroud/activity", "shroud/detect", "shroud/meter", "shroud/pricelist",
		"vault", "vault/agents", "vault/audit", "vault/identity", "vault/outbox", "vault/outbox/viewer", "vault/people", "vault/policy",
		"vault/share", "vault/site", "vault/use", "vault/webhook",
	},

	// Inspection for commands that are given files.
	"appliance/inspection/files": {"appliance/api", "appliance/inspection", "shroud/detect"},

	"appliance/tlsconf": {},

	// Inspection of texts: pure functions of them.
	"shroud/detect/view":                     {},
	"shroud/detect/secret":                   {},
	"shroud/detect/injection/internal/model": {"shroud/detect/view"},
	"shroud/detect/injection":                {"shroud/detect/injection/internal/model", "shroud/detect/view"},

	// What makes the weights of the injection scorer, and what it is measured with:
	// commands for a developer, in no binary that is shipped.
	"shroud/detect/internal/corpus": {},
	"shroud/detect":                 {"shroud/detect/injection", "shroud/detect/pii", "shroud/detect/secret", "shroud/detect/view"}, // composes them
	"shroud/detect/injection/train": {"shroud/detect/injection/internal/model", "shroud/detect/internal/corpus", "shroud/detect/view"},
	"shroud/detect/evaluate":        {"shroud/detect", "shroud/detect/injection", "shroud/detect/internal/corpus", "shroud/detect/pii", "shroud/detect/secret", "shroud/detect/view"},
	"shroud/redact":                 {"internal/plain"}, // values become patterns, and knows nothing else of vaults

	// How model providers speak. jsonedit and sse know bytes only.
	"shroud/provider/jsonedit":  {"internal/fault"},
	"shroud/provider/sse":       {},
	"shroud/provider":           {"internal/fault", "shroud/provider/jsonedit", "shroud/provider/sse"},
	"shroud/provider/translate": {"internal/fault", "shroud/provider", "shroud/provider/jsonedit", "shroud/provider/sse"},

	// The operator's socket: a protocol with both its ends, and nothing behind it.
	"appliance/operator": {"internal/fault", "internal/fault/faulthttp", "internal/plain"},

	// What is measured, and under which names.
	"appliance/metrics":         {"hsm"},
	"appliance/traces":          {"hsm", "internal/fault"},
	"appliance/traces/otlptest": {},

	// The way out: nothing else opens a connection to elsewhere.
	"appliance/egress":           {"internal/fault"},
	"appliance/courier":          {"vault/use"}, // over a client of egress
	"appliance/mail":             {"internal/plain", "vault/outbox"},
	"appliance/oidc":             {"internal/fault", "vault/identity"}, // over a client of egress
	"appliance/mail/mailpittest": {"internal/porttest"},

	// What machine this is, and a PIN that only it opens.
	"appliance/attest":            {"internal/fault", "internal/plain"},
	"appliance/attest/attesttest": {"appliance/attest"},
	"appliance/attest/launch":     {},
	"appliance/seal":              {"appliance/attest", "internal/fault", "internal/plain"}, // what a request for a derived key is
	// The audit log, sent elsewhere over connections that it is given.
	"appliance/auditstream":            {"internal/txn", "vault/audit"},
	"appliance/auditstream/syslogtest": {},

	// What carries a release to machines without a network.
	"appliance/update": {"internal/fault"},

	// Copies of the state. It opens what it restores as the wiring does, and knows
	// of vaults only what a value is sealed under.
	"appliance/backup": {
		"hsm", "internal/fault", "internal/id", "internal/plain", "internal/txn",
		"store", "store/events", "vault", "vault/audit", "vault/envelope",
	},

	// The MCP server is a client of the API that happens to run in the same process.
	"mcp": {"appliance/api", "appliance/client", "internal/fault", "internal/plain", "shroud/detect", "shroud/redact"},

	"mcp/mcptest": {},

	// The wiring: the only package that knows concrete types of more than one
	// room.
	"appliance": {
		"appliance/attest", "appliance/auditstream", "appliance/backup", "appliance/courier", "appliance/egress", "appliance/httpapi", "appliance/mail", "appliance/metrics", "appliance/oidc", "appliance/operator", "appliance/seal", "appliance/tlsconf", "appliance/traces", "appliance/update", "hsm", "hsm/broker", "hsm/local",
		"internal/fault", "internal/id", "internal/plain", "internal/txn", "intents", "intents/evm", "intents/node", "mcp",
		"shroud", "shroud/activity", "shroud/detect", "shroud/forwardproxy", "shroud/forwardproxy/authority", "shroud/manifest", "shroud/meter", "shroud/pricelist", "shroud/provider", "shroud/screen",
		"store", "store/events", "vault", "vault/agents", "vault/audit", "vault/identity", "vault/outbox", "vault/outbox/letter",
		"vault/outbox/viewer", "vault/people", "vault/share", "vault/site", "vault/use", "vault/webhook",
	},

	// The commands. hsm/pkcs11 is here because `oneclawd hsm-broker` is the
	// process it runs in.
	"cmd/oneclawd": {
		"appliance", "appliance/api", "appliance/attest", "appliance/attest/launch", "appliance/client", "appliance/client/attested", "appliance/inspection/files", "mcp", "appliance/backup", "appliance/operator", "appliance/seal", "appliance/update", "hsm", "hsm/broker", "hsm/pkcs11",
		"internal/completion", "internal/fault", "internal/id", "internal/plain", "store", "vault/audit",
	},

	// The command line of people and agents: a client of the API. What it shares with
	// the daemon are pure functions of texts, so that it builds for any system.
	"cmd/oneclaw": {"appliance/api", "appliance/attest", "appliance/client", "appliance/client/attested", "appliance/client/cmek", "appliance/inspection/files", "internal/completion", "internal/plain", "mcp", "shroud/redact"},

	// Inspection: text in, findings out.
	"shroud/detect/pii": {},

	// For tests: a file system with power cuts. No edge of the product leads here.
	"internal/cutfs":           {},
	"internal/cutfs/cutfstest": {"internal/cutfs"},

	// For tests: addresses for servers that come later.
	"internal/porttest":  {},
	"internal/clocktest": {},

	"internal/archtest": {},
	"internal/e2e":      {},
}

// planned are packages and documents that are named before they are in the tree.
var planned = []string{}

// owner names the packages that may import a third-party module, tests
// included. Replacing one touches that folder only, and a security advisory has
// one reader.
var owner = map[string][]string{
	"filippo.io/age":                         {"appliance/backup", "cmd/oneclawd"},
	"github.com/cloudflare/circl":            {"appliance/seal"}, // Shamir's shares
	"github.com/danielgtaylor/huma/v2":       {"appliance/httpapi"},
	"github.com/decred/dcrd":                 {"hsm/soft", "hsm/hsmtest", "intents/evm"}, // its module for secp256k1: account keys
	"github.com/dgraph-io/badger/v4":         {"store/events"},
	"github.com/ethereum/go-ethereum":        {"intents/evm", "intents/evm/evmtest"},
	"github.com/gin-gonic/gin":               {"appliance/httpapi"},
	"github.com/go-json-experiment/json":     {"shroud/provider/jsonedit"},         // it refuses duplicates, and says where tokens are
	"github.com/golang-jwt/jwt/v5":           {"vault/identity", "appliance/oidc"}, // our tokens; those of others
	"github.com/google/go-sev-guest":         {"appliance/attest", "appliance/attest/attesttest"},
	"github.com/google/uuid":                 {"internal/id", "appliance/attest/attesttest"}, // the latter for tables of certificates
	"github.com/hanwen/go-fuse/v2":           {"appliance/attest/attesttest", "internal/cutfs"},
	"github.com/holiman/uint256":             {"intents/evm"},
	"github.com/google/jsonschema-go":        {"mcp"}, // schemas of tools
	"github.com/miekg/pkcs11":                {"hsm/pkcs11"},
	"github.com/modelcontextprotocol/go-sdk": {"mcp", "mcp/mcptest"},
	"github.com/nyaruka/phonenumbers":        {"shroud/detect/pii"},
	"github.com/pelletier/go-toml/v2":        {"appliance", "appliance/attest", "shroud/detect/secret"}, // settings, the appraisal policy, gitleaks' rules
	"github.com/prometheus/client_golang":    {"appliance/metrics"},
	"github.com/spf13/cobra":                 {"cmd/oneclawd", "cmd/oneclaw", "internal/completion"},
	"github.com/tailscale/hujson":            {"cmd/oneclaw"},          // configurations of others, with their comments
	"github.com/tyler-smith/go-bip39":        {"shroud/detect/secret"}, // word lists of seed phrases
	"github.com/wneessen/go-mail":            {"appliance/mail"},
	"github.com/zalando/go-keyring":          {"cmd/oneclaw"},   // where a sign-in is kept
	"github.com/dlclark/regexp2/v2":          {"shroud/tokens"}, // the expression of a vocabulary looks ahead
	"github.com/tiktoken-go/tokenizer":       {"shroud/tokens", "shroud/tokens/vocabulary"},
	"github.com/zricethezav/gitleaks/v8":     {"shroud/detect/secret"}, // its rules
	"go.etcd.io/bbolt":                       {"store"},
	"go.opentelemetry.io/otel":               {"appliance/traces"},
	"go.opentelemetry.io/proto/otlp":         {"appliance/traces/otlptest"},
	"google.golang.org/protobuf":             {"appliance/traces/otlptest"},                                          // what those are made of
	"golang.org/x/crypto":                    {"vault/identity", "hsm/local", "appliance/seal", "shroud/detect/pii"}, // argon2: passwords, the key file; keccak: wallets
	"golang.org/x/mod":                       {"vault/audit", "appliance/update"},                                    // tlog and note
	"golang.org/x/sync":                      {"appliance"},
	"golang.org/x/term":                      {"cmd/oneclawd", "cmd/oneclaw"},                                                                                                                      // a PIN is not echoed
	"golang.org/x/text":                      {"shroud/detect/view"},                                                                                                                               // NFKC
	"golang.org/x/sys":                       {"hsm/broker", "hsm/lockmem", "store", "store/events", "appliance", "appliance/auditstream", "appliance/operator", "cmd/oneclawd", "internal/cutfs"}, // what syscall lacks
}

// tester names packages whose tests may import an owned module as well, to look
// from outside at what the owner made.
var tester = map[string][]string{
	"filippo.io/age":               {"internal/e2e"},                          // a recipient of what is exported
	"github.com/gin-gonic/gin":     {"internal/e2e"},                          // a bare handler, to compare with
	"github.com/golang-jwt/jwt/v5": {"appliance", "appliance/httpapi", "mcp"}, // tokens of an issuer that a test is
	"golang.org/x/mod":             {"store", "store/events", "appliance/httpapi"},
}

// testsOnly are modules that any test may use and nothing else.
var testsOnly = []string{
	"github.com/anishathalye/porcupine",
	"github.com/chromedp/cdproto",
	"github.com/chromedp/chromedp",
	"github.com/creack/pty",
	"github.com/oauth2-proxy/mockoidc",
	"github.com/rogpeppe/go-internal",
}

// never lists imports of the standard library that a part of the tree must not
// have, and why. A prefix that ends in a slash covers what is below it, the
// empty one everything.
var never = []struct{ prefix, imported, why string }{
	{"", "log", "the log is structured: log/slog"},
	{"", "math/rand", "randomness is crypto/rand's"},
	{"", "math/rand/v2", "randomness is crypto/rand's"},
	{"", "net/http/pprof", "it registers handlers in an init"},
	{"", "expvar", "it registers handlers in an init"},
	{"", "plugin", "one binary"},
	{"", "html/template", "it finds methods by name, and so all of them stay in the binary (ADR 0037)"},
	{"", "text/template", "it finds methods by name, and so all of them stay in the binary (ADR 0037)"},
	{"", "C", "cgo belongs to the modules we import"},
	{"vault/", "net/http", "the domain knows no transport"},
	{"vault/", "os/exec", "the domain starts nothing"},
	{"vault/", "os", "the domain touches no files"},
	{"hsm/", "net/http", "keys know no transport"},
	{"store/", "net/http", "storage knows no transport"},
	{"appliance/api/", "net/http", "wire types handle nothing"},
}

// reveals lists the files that may call plain.Bytes.Reveal, and what for. In
// any other file a secret cannot be looked at.
var reveals = map[string]string{
	"appliance/backup/escrowed.go": "a data key goes to where only the recovery key opens it",
	"appliance/backup/keypair.go":  "the recovery key is derived",
	"appliance/backup/rekey.go":    "the store key is wrapped by another HSM",
	"appliance/backup/restore.go":  "the derived key of the archive goes to it",
	"appliance/backup/seal.go":     "a derived key becomes the cipher of a backup's file key",
	"appliance/core.go":            "keys derived from the store key go to those who use them",
	"appliance/courier/courier.go": "values go to the host that they may go to",
	"appliance/httpapi/secrets.go": "a value becomes the answer of a read",
	"appliance/httpapi/shares.go":  "a value becomes the answer of an access",
	"appliance/mail/sender.go":     "the password goes to the mail server",
	"cmd/oneclawd/move.go":         "a passphrase becomes the key of a file",
	"cmd/oneclawd/recovery.go":     "shares are shown to the people who keep them",
	"cmd/oneclawd/sealpin.go":      "shares and codes are shown to the people who keep them",
	"appliance/operator/client.go": "the PIN goes to the daemon over its socket",
	"appliance/seal/file.go":       "a PIN is sealed",
	"appliance/seal/passphrase.go": "a passphrase is stretched",
	"appliance/seal/slot.go":       "a slot's key is derived",
	"appliance/seal/typed.go":      "what people type is read",
	"appliance/seal/upgrade.go":    "a code is copied for each slot that it is tried on",
	"mcp/watch.go":                 "what an agent fetched is looked for in what it sends elsewhere",
	"hsm/broker/client.go":         "the PIN is copied, for when the broker's process has to be started again",
	"hsm/broker/token.go":          "the PIN goes to the broker's process",
	"hsm/local/keyfile.go":         "a passphrase is stretched",
	"hsm/local/local.go":           "the passphrase is copied until Init has used it",
	"hsm/pkcs11/module.go":         "the PIN goes to C_Login",
	"intents/signer.go":            "a signing key is parsed, to sign with",
	"intents/signingkeys.go":       "a key is parsed, for the HSM to import",
	"shroud/forward.go":            "a provider's key goes to the provider",
	"shroud/forwardproxy/fill.go":  "values go to the host that they may go to",
	"shroud/redact/build.go":       "values become what is looked for in texts",
	"store/keys.go":                "a key is derived from the store key",
	"store/meta.go":                "the keyring is derived from the store key",
	"vault/cmekblob.go":            "a value and the keys that its client encrypts it with are taken from one to the other",
	"vault/envelope/envelope.go":   "a value is sealed",
	"vault/envelope/key.go":        "a value is opened with a data key that was kept elsewhere",
	"vault/use/binding.go":         "a value goes into the request that a binding is for",
	"vault/use/execution.go":       "values go in the places of their placeholders",
	"vault/identity/passphrase.go": "a passphrase is hashed",
}

// dialers lists the packages that may open a connection to elsewhere. What the
// daemon opens goes through appliance/egress, under one policy; the commands are
// clients of a daemon, and mcp has a client whose transport stays in the process.
var dialers = []string{"appliance/client", "appliance/client/attested", "appliance/egress", "appliance/operator", "cmd/oneclawd", "cmd/oneclaw", "mcp"}

// Sizes beyond which a file or function has to be cut in two. The habit is far
// below: 400 and 40.
const (
	maxFileLines     = 500
	maxFunctionLines = 60
)

// oversize lists the exceptions, by file or file:function, and why they stay.
var oversize = map[string]string{}
