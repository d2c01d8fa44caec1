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
	"openai-chat":      OpenAIChat,
	"mistral":          OpenAIChat,
	"openai-responses": OpenAIResponses,
	"openai-embed":     OpenAIEmbeddings,
	"anthropic":        AnthropicMessages,
	"gemini":           GeminiContent,
	"cohere":           CohereChat,
	"cohere-embed":     CohereEmbed,
}

func events(r io.Reader) Source { return sse.NewReader(r, 0) }

// array is what Google sends instead of events, unless it is asked for them.
func array(t testing.TB, stream string) string {
	t.Helper()
	in, out := sse.NewReader(strings.NewReader(stream), 0), ""
	for {
		ev, err := in.Next()
		if err != nil {
			return "[" + out + "\n]\n"
		}
		if out != "" {
			out += ",\r\n"
		}
		out += string(ev.Data)
	}
}

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
				if name == "gemini" && part == "stream" {
					elements := func(r io.Reader) Source { return newElements(r, 0) }
					found[name+"/array"] = fixture{format, array(t, string(f.Data)), elements}
				}
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("no fixtures %q", part)
	}
	return found
}
