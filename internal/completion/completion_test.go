package completion

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestInBash(t *testing.T) {
	root := &cobra.Command{Use: "tool"}
	root.AddCommand(&cobra.Command{Use: "serve", Run: func(*cobra.Command, []string) {}})
	var out bytes.Buffer
	root.SetOut(&out)
	InBash(root)
	root.SetArgs([]string{"completion", "bash"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	script, ours := strings.CutPrefix(out.String(), before)
	if !ours || !strings.Contains(script, "__start_tool") {
		t.Errorf("the script is not the library's behind what it lacks:\n%.200s", out.String())
	}
}

// Bash takes words apart at = and colons. What is completed is the whole word.
func TestWords(t *testing.T) {
	for line, want := range map[string]string{
		`COMP_WORDS=(tool ser) COMP_CWORD=1`:                     "ser|tool|1",
		`COMP_WORDS=(tool serve "") COMP_CWORD=2`:                "|serve|2",
		`COMP_WORDS=(tool --set = api.li) COMP_CWORD=3`:          "--set=api.li|tool|1",
		`COMP_WORDS=(tool --at http : //localhost) COMP_CWORD=4`: "http://localhost|--at|2",
	} {
		bash := exec.Command("bash", "--norc", "--noprofile", "-c", before+line+"\n"+`_get_comp_words_by_ref; echo "$cur|$prev|$cword"`)
		out, err := bash.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: %q (%v), want %q", line, got, err, want)
		}
	}
}
