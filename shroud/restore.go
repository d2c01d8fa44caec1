package shroud

import (
	"github.com/oneclaw/oneclawd/shroud/detect/pii"
	"github.com/oneclaw/oneclawd/shroud/provider"
)

// restores reports whether the personal data that was replaced in the request is put
// back in the answer. What stands for what is known of one request alone: of a
// conversation that the provider keeps, it holds only the newest turn, and in it the
// tokens of other turns would stand for something else.
func (c *call) restores() bool {
	return c.policy.RestorePII && c.req != nil && !c.req.Continues
}

// restorable reports whether a text may have its personal data put back. Names and
// identifiers have none, and a signed text would be one that nobody signed.
func restorable(t provider.Text) bool {
	return !t.Signed && t.Kind != provider.Label && t.Kind != provider.ToolName
}

// restored is a whole text with its personal data.
func (c *call) restored(t provider.Text, text string) string {
	if !c.restores() || !restorable(t) {
		return text
	}
	return c.tokens.Restore(text)
}

// restoring puts personal data back into a text that comes in pieces.
type restoring struct {
	next provider.Filter
	r    *pii.Restorer
}

func (f *restoring) Write(text string) (string, error) {
	text, err := f.next.Write(text)
	if err != nil {
		return "", err
	}
	return f.r.Next(text), nil
}

func (f *restoring) Close() (string, error) {
	rest, err := f.next.Close()
	if err != nil {
		return "", err
	}
	return f.r.Next(rest) + f.r.Rest(), nil
}
