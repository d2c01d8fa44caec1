package files_test

import (
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/inspection/files"
)

// A line with a context that is none is an error, as it is over HTTP, and those before it
// are answered.
func TestLinesWithAnUnknownContext(t *testing.T) {
	var out strings.Builder
	in := strings.NewReader(`{"content":"hello","context":"document"}` + "\n" + `{"content":"hello","context":"dream"}` + "\n")
	_, err := files.Inspector{Context: "input", Preset: "balanced", Lines: true}.Inspect(&out, in, nil)
	if err == nil || !strings.Contains(err.Error(), `text 2: context is input, output or document, not "dream"`) {
		t.Errorf("the error is %v", err)
	}
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("%d answers before the error: %s", n, out.String())
	}
}
