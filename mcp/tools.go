package mcp

// addTools registers the tools. Clients list them by name, always in the same order.
func (s *server) addTools() {
	add(s, tool[inspectArgs, inspected]{
		name: "inspect_content", title: "Inspect content",
		about: "Look for prompt injection, commands, disguises, exfiltration, personal data and credentials in a text. It is inspected on this machine and kept nowhere.",
		does:  reads, call: inspectContent,
		args: []refine{oneOf("context", "input", "output"), otherwise("context", `"output"`)},
	})
	if s.cfg.API == nil {
		return
	}
	s.addSecretTools()
	s.addUseTool()
	s.addVaultTools()
	s.addTransactionTools()
}

// secretTypes are the kinds of secrets that published clients offer.
var secretTypes = []any{"api_key", "password", "private_key", "certificate", "file", "note", "ssh_key", "env_bundle"}

func (s *server) addSecretTools() {
	add(s, tool[listArgs, secretList]{
		name: "list_secrets", title: "List secrets", does: reads, call: listSecrets,
		about: "List the secrets of the vault: path, type, version, expiry and id. Values are not shown.",
	})
	add(s, tool[pathArgs, secretValue]{
		name: "get_secret", title: "Read a secret", does: reads, subject: ofSecret, call: getSecret,
		about: "Fetch the value of a secret, right before it is needed. Every read is in the audit log. Do not repeat the value.",
	})
	add(s, tool[putArgs, stored]{
		name: "put_secret", title: "Store a secret", does: adds, subject: ofSecret, call: putSecret,
		about: "Store a secret, or a new version of one.",
		args:  []refine{oneOf("type", secretTypes...), otherwise("type", `"api_key"`), atLeast("max_access_count", 1)},
	})
	add(s, tool[pathArgs, deleted]{
		name: "delete_secret", title: "Delete a secret", does: destroys, subject: ofSecret, call: deleteSecret,
		about: "Delete a secret with all its versions.",
	})
	add(s, tool[pathArgs, description]{
		name: "describe_secret", title: "Describe a secret", does: reads, subject: ofSecret, call: describeSecret,
		about: "Show type, version, metadata and expiry of a secret, without its value.",
	})
	add(s, tool[rotateArgs, stored]{
		name: "rotate_and_store", title: "Rotate a secret", does: adds, subject: ofSecret, call: rotateAndStore,
		about: "Store the new value of an API key that was rotated, as a new version.",
	})
	add(s, tool[pathArgs, map[string]string]{
		name: "get_env_bundle", title: "Read an environment", does: reads, subject: ofSecret, call: getEnvBundle,
		about: "Fetch a secret of type env_bundle (lines of NAME=value) as an object of its variables.",
	})
}

func (s *server) addUseTool() {
	add(s, tool[requestArgs, answered]{
		name: "http_request_with_secret", title: "Send a request with a secret", does: spends, call: requestWithSecret,
		about: "Send an HTTP request in which {{secret:path}} stands for a secret. The appliance puts the value in and takes it out of the answer: it is never shown. The secret says to which hosts it may go.",
		args:  []refine{oneOf("method", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"), otherwise("method", `"GET"`)},
	})
}

func (s *server) addVaultTools() {
	add(s, tool[createVaultArgs, vaultItem]{
		name: "create_vault", title: "Create a vault", does: adds, call: createVault,
		about: "Create a vault. Who creates it has all rights in it.",
		args:  []refine{lengths("name", 1, 255)},
	})
	add(s, tool[struct{}, vaultList]{
		name: "list_vaults", title: "List vaults", does: reads, call: listVaults,
		about: "List the vaults within reach.",
	})
	add(s, tool[grantArgs, granted]{
		name: "grant_access", title: "Grant access", does: adds, call: grantAccess,
		about: "Let a user or an agent use secrets of a vault that this agent made.",
		args: []refine{
			oneOf("principal_type", "user", "agent"), oneOf("permissions", "read", "write", "delete", "use"),
			otherwise("permissions", `["read"]`), otherwise("secret_path_pattern", `"**"`),
		},
	})
	add(s, tool[shareArgs, shared]{
		name: "share_secret", title: "Share a secret", does: adds, call: shareSecret,
		about: "Offer one secret to a user, an agent, the person who registered this agent, or whoever has the link, for a time.",
		args: []refine{
			oneOf("recipient_type", "user", "agent", "anyone_with_link", "creator"), otherwise("max_access_count", "5"), atLeast("max_access_count", 1),
		},
	})
}

func (s *server) addTransactionTools() {
	add(s, tool[simulateArgs, simulated]{
		name: "simulate_transaction", title: "Simulate a transaction", does: reads, subject: ofTransaction, call: simulateTransaction,
		about: "Say what a transaction would do, without signing it.",
	})
	first := []refine{otherwise("simulate_first", "true")}
	add(s, tool[transactArgs, transaction]{
		name: "submit_transaction", title: "Send a transaction", does: spends, subject: ofTransaction, call: submitTransaction, args: first,
		about: "Sign a transaction with the agent's key and send it, within the limits that the agent's owner has set.",
	})
	add(s, tool[transactArgs, transaction]{
		name: "sign_transaction", title: "Sign a transaction", does: spends, subject: ofTransaction, call: signTransaction, args: first,
		about: "Sign a transaction with the agent's key and return it without sending it. Whoever has it can send it.",
	})
	add(s, tool[signedArgs, transactionList]{
		name: "list_transactions", title: "List transactions", does: reads, subject: ofTransaction, call: listTransactions,
		about: "List the agent's transactions, newest first.",
	})
	add(s, tool[transactionArgs, transaction]{
		name: "get_transaction", title: "Look at a transaction", does: reads, subject: ofTransaction, call: getTransaction,
		about: "Show a transaction as it stands.",
	})
}
