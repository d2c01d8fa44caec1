package provider

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/oneclaw/oneclawd/shroud/provider/sse"
)

// fixture is one body or stream, in the form that the provider documents. The
// word MARK stands where tests put things.
type fixture struct {
	format Format
	text   string
	source func(io.Reader) Source
}

// formats are those that there are fixtures of, by the name of their file.
var formats = map[string]Format{
	"openai-chat": OpenAIChat,
	"anthropic":   AnthropicMessages,
}

func events(r io.Reader) Source { return sse.NewReader(r, 0) }

// fixtures are the parts of all files that go by a name, or begin with it.
func fixtures(t testing.TB, part string) map[string]fixture {
	t.Helper()
	found := map[string]fixture{}
	for name, format := range formats {
		raw, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(raw).Files {
			if f.Name == part || strings.HasPrefix(f.Name, part+"-") {
				found[name+"/"+f.Name] = fixture{format, string(f.Data), events}
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("no fixtures %q", part)
	}
	return found
}
