package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDotenv(t *testing.T) {
	for text, want := range map[string][]variable{
		"":                                    nil,
		"# only\n\n   # comments\n":           nil,
		"A=1\nB=2":                            {{"A", "1"}, {"B", "2"}},
		"\ufeffA=1\r\nB=2\r\n":                {{"A", "1"}, {"B", "2"}},
		"export A=1":                          {{"A", "1"}},
		"A = 1 ":                              {{"A", "1"}},
		"A=":                                  {{"A", ""}},
		"A=a=b":                               {{"A", "a=b"}},
		"A=b # of it":                         {{"A", "b"}},
		"A=b#c":                               {{"A", "b#c"}},
		"A=# nothing":                         {{"A", ""}},
		"A=$HOME ${X}":                        {{"A", "$HOME ${X}"}},
		"A='b # \"$c\" \\n' # of it":          {{"A", `b # "$c" \n`}},
		`A="b \"c\" \n \\n \$d \x"`:           {{"A", "b \"c\" \n \\n $d \\x"}},
		"A=\"two\nlines\"\nB='three\n\nmore'": {{"A", "two\nlines"}, {"B", "three\n\nmore"}},
	} {
		got, err := parseDotenv(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}

// Errors name a line, and never what is on it.
func TestDotenvErrors(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\ncanary":               "line 2 is not NAME=value",
		"# 1\n\n2canary=1":          "line 3 is not NAME=value",
		"A='x\ny'\nB=\"canary":      "line 3: a quote is not closed",
		"A='canary' canary":         "line 1: there is more after the closing quote",
		"A=\"1\n2\n3\"\ncanary b=1": "line 4 is not NAME=value",
	} {
		if got, err := parseDotenv(text); err == nil || err.Error() != want {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestEnvironmentNames(t *testing.T) {
	for path, want := range map[string]string{
		"api-keys/stripe": "API_KEYS_STRIPE", "A_b": "A_B", "a.b c": "A_B_C", "1st": "_1ST", "größe": "GR__E",
	} {
		if got := environmentName(path); got != want || !variableName.MatchString(got) {
			t.Errorf("%s becomes %s, want %s", path, got, want)
		}
	}
}

// FuzzDotenv: reading never fails badly, and what is written is read again as it was.
func FuzzDotenv(f *testing.F) {
	for _, seed := range []string{"A=1", "a'b\"c$d`e\\f\ng", "A=\"x\\n\"\nB='y'", "\r\n\t #", `\"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = parseDotenv(text)
		want := variable{"NAME", text}
		got, err := parseDotenv("BEFORE=1\n" + dotenvLine(want) + "\nAFTER=2\n")
		if err != nil || len(got) != 3 || got[1] != want {
			t.Fatalf("%q is written as %q and read as %q, %v", text, dotenvLine(want), got, err)
		}
	})
}

// FuzzItems: what is wrong with a file of values is told without anything of it.
func FuzzItems(f *testing.F) {
	for _, seed := range []string{"A=1", `{"A":"b"}`, `[{"path":"a/b","value":"c"}]`, `[{"path":"","value":"c"}]`, `{"A":1}`, "A='", "A='b' c", "{", "[", "[null]"} {
		f.Add(seed)
	}
	known := regexp.MustCompile(`^line \d+( is not NAME=value|: there is more after the closing quote|: a quote is not closed)$`)
	f.Fuzz(func(t *testing.T, text string) {
		items, err := parseItems(text)
		if err != nil && !errors.Is(err, errJSONItems) && !known.MatchString(err.Error()) {
			t.Fatalf("%q: %v", text, err)
		}
		for _, it := range items {
			if it.Path == "" {
				t.Fatalf("%q has a value without a name", text)
			}
		}
	})
}

// TestShellReadsTheSame: a shell that evaluates what is written has the same value.
func TestShellReadsTheSame(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	for _, value := range []string{"plain", "two words", "a'b", `a"b`, "$HOME `id` $(id)", `back\slash\n`, "two\nlines 'and' $more", "", "#x", "~"} {
		file := filepath.Join(t.TempDir(), "env")
		for name, line := range map[string]string{"shell": shellLine(variable{"V", value}), "dotenv": dotenvLine(variable{"V", value})} {
			if err := writePrivate(file, []byte(line+"\n")); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(sh, "-c", `. "$0"; printf %s. "$V"`, file).Output()
			if got := strings.TrimSuffix(string(out), "."); err != nil || got != value {
				t.Errorf("%s: %q is written as %s and read as %q, %v", name, value, line, got, err)
			}
		}
	}
}
