package mcp

import (
	"context"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// prompt is a common job, as people start it from their client.
type prompt struct {
	name, title, about, text string
	args                     []*sdk.PromptArgument
}

var prompts = []prompt{
	{
		name: "use_secret", title: "Use a secret", about: "Do something that needs a secret, without showing it.",
		args: []*sdk.PromptArgument{
			{Name: "path", Title: "Path", Description: "Path of the secret", Required: true},
			{Name: "task", Title: "Task", Description: "What it is needed for", Required: true},
		},
		text: "Task: {task}\n\nIt needs the secret at `{path}`. Check with describe_secret that it is there, fetch it with get_secret only when the next step uses it, and pass it on by the environment or standard input. Do not write its value into files, command lines, logs or your answer.",
	},
	{
		name: "rotate_secret", title: "Rotate a secret", about: "Replace a credential at its provider and in the vault.",
		args: []*sdk.PromptArgument{{Name: "path", Title: "Path", Description: "Path of the secret", Required: true}},
		text: "Rotate the credential at `{path}`. Look at it with describe_secret, have its provider issue a new one, store that with rotate_and_store, check that what uses it works, and only then have the old one revoked. If a step needs a person, say which and wait.",
	},
	{
		name: "review_secrets", title: "Review the vault", about: "Find what is old, ends soon or is in the wrong place.",
		text: "Review the vault with list_secrets and describe_secret; read no values. Report secrets that have ended or end within 30 days, that have had one version for long, whose type does not fit their path, and paths that do not follow the vault's habit. Propose changes, and make none.",
	},
	{
		name: "send_payment", title: "Send a payment", about: "Send a transaction with care.",
		args: []*sdk.PromptArgument{
			{Name: "to", Title: "To", Description: "Address of the recipient", Required: true},
			{Name: "value", Title: "Value", Description: "Of the chain's coin, in decimal", Required: true},
			{Name: "chain", Title: "Chain", Description: "Name of the chain, or its id", Required: true},
		},
		text: "Send {value} to `{to}` on {chain}. Simulate it first with simulate_transaction and show what would change. Send it with submit_transaction if that is what was asked for. If people have to approve it, say so and stop.",
	},
}

func (s *server) addPrompts() {
	for _, p := range prompts {
		s.sdk.AddPrompt(&sdk.Prompt{Name: p.name, Title: p.title, Description: p.about, Arguments: p.args}, p.fill)
	}
}

// fill puts the arguments in their places.
func (p prompt) fill(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
	var pairs []string
	for _, a := range p.args {
		value := req.Params.Arguments[a.Name]
		if value == "" && a.Required {
			return nil, tell("The argument %s is missing.", a.Name)
		}
		pairs = append(pairs, "{"+a.Name+"}", value)
	}
	text := strings.NewReplacer(pairs...).Replace(p.text)
	return &sdk.GetPromptResult{
		Description: p.about,
		Messages:    []*sdk.PromptMessage{{Role: "user", Content: &sdk.TextContent{Text: text}}},
	}, nil
}
