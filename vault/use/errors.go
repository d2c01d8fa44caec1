package use

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors. None of them holds a value, a path of a URL or a query.
var (
	ErrPlaceholder = fault.New(fault.Invalid, "invalid_placeholder", "A placeholder is {{secret:path}}, or {{secret://vault_id/path}} to say which vault")
	ErrInURL       = fault.New(fault.Invalid, "secret_in_url", "Secrets do not go into URLs, which are logged everywhere: put the placeholder into a header or the body, or have a binding made with auth_type query")
	ErrURL         = fault.New(fault.Invalid, "invalid_url", "url must be an absolute http or https URL without user, fragment and unusual characters; with a binding it may be a path from the binding's base_url")
	ErrMethod      = fault.New(fault.Invalid, "invalid_method", "method must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
	ErrHeader      = fault.New(fault.Invalid, "invalid_header", "headers may have 64 entries of 8 KiB without control characters, each name once, and none that the connection, the binding or the appliance sets: Host, Content-Length, Accept-Encoding and the like")
	ErrBody        = fault.New(fault.TooLarge, "request_too_large", "body may have at most 1 MiB, also with the values in it")
	ErrManyRefs    = fault.New(fault.Invalid, "too_many_placeholders", "a request may use at most 16 secrets")
	ErrAmbiguous   = fault.New(fault.Invalid, "ambiguous_secret", "Several vaults have a secret of this path that the agent may use: say which, as {{secret://vault_id/path}}")
	ErrNoSecret    = fault.New(fault.Denied, "secret_use_denied", "Access denied: no policy lets this agent use such a secret, or there is none")
	ErrNothing     = fault.New(fault.Invalid, "no_secret_used", "The request uses no secret: it has neither a placeholder nor a binding")
	ErrAgentOnly   = fault.New(fault.Denied, "agents_only", "Access denied: an agent, and nobody else, executes requests for itself")
	ErrNoHosts     = fault.New(fault.Denied, "no_allowed_hosts", "This secret may not be sent anywhere: write it with metadata such as {\"allowed_hosts\":[\"api.example.com\"]}, or have a binding made")
	ErrHosts       = fault.New(fault.Denied, "invalid_allowed_hosts", "The secret's metadata has allowed_hosts that cannot be read: a list of host, *.suffix, host:port or http://host is needed")
	ErrHost        = fault.New(fault.Denied, "host_not_allowed", "This secret may not be sent to that host: its allowed_hosts do not name it")
	ErrControl     = fault.New(fault.Unprocessable, "value_not_for_headers", "The secret's value has a line break or another control character and cannot go into a header")
	ErrTooShort    = fault.New(fault.Unprocessable, "value_too_short", "A value of fewer than 8 bytes is not used: it could not be told from other text in the answer")
	ErrBusy        = fault.New(fault.RateLimited, "too_many_executions", "The agent has as many requests under way as it may")
	ErrUnreachable = fault.New(fault.Unavailable, "target_unreachable", "The host did not answer")
	ErrTimeout     = fault.New(fault.Unavailable, "target_timeout", "The host did not answer in time")
	ErrEncoded     = fault.New(fault.Unprocessable, "answer_encoded", "The host encodes its answer though it was asked not to; what cannot be read is not shown")
)

// Errors of bindings.
var (
	ErrNoBinding   = fault.New(fault.NotFound, "binding_not_found", "No such binding")
	ErrNoExecution = fault.New(fault.NotFound, "execution_not_found", "No such execution")
	ErrCredential  = fault.New(fault.Invalid, "credential_mismatch", "The credential is not of the kind that the binding puts into requests: its type, and its name or user if they are said, must be those of the binding's config")
	ErrBindings    = fault.New(fault.Invalid, "too_many_bindings", "An agent may have 64 bindings")
	ErrBindingName = fault.New(fault.Invalid, "invalid_binding_name", "A binding needs a name of 1 to 64 letters, digits, '-' and '_', which no other binding of the agent has, and a description of at most 1024 bytes")
	ErrBindingBase = fault.New(fault.Invalid, "invalid_base_url", "base_url must be an http or https URL without user, query and fragment")
	ErrBindingAuth = fault.New(fault.Invalid, "invalid_binding_auth", "auth_type must be bearer, basic (with auth_user, unless the value is user:password), header (with auth_header) or query (with auth_param)")
	ErrBindingRule = fault.New(fault.Invalid, "invalid_guardrails", "allowed_methods must be methods, allowed_paths paths that begin with / and may end in *, allowed_hosts hosts")
	ErrForbids     = fault.New(fault.Denied, "binding_forbids", "The binding does not allow this request: its base_url, allowed_hosts, allowed_methods and allowed_paths say what it does")
	ErrInactive    = fault.New(fault.Denied, "binding_inactive", "The binding is switched off")
	ErrLapsed      = fault.New(fault.Denied, "binding_lapsed", "The binding does not work any more: whoever gave it may not read the secret now, or the secret is gone")
)
