package appliance

import (
	"reflect"
	"slices"
	"strings"
)

// unknown is the error of a setting that does not exist, with the one that was
// probably meant.
func unknown(where, key string) error {
	defaults, best, least := Defaults(), "", 4
	for _, s := range defaults.Settings() {
		if d := distance(key, s.Key); d < least {
			best, least = s.Key, d
		}
	}
	if best != "" {
		return ErrConfig.Detail("%sno such setting: %s; did you mean %s?", where, key, best)
	}
	return ErrConfig.Detail("%sno such setting: %s; `oneclawd config defaults` lists them", where, key)
}

// Slip is a name in the environment that nothing reads, and the one that was
// probably meant.
type Slip struct{ Name, Meant string }

// near is how many letters may be wrong in a slip. The programs that call the
// appliance share its prefix, and names of theirs that it does not know.
const near = 2

// Slips finds the names in environ, of os.Environ, that are nearly those of
// settings. An unknown key in a file is an error; here it may be somebody else's.
func Slips(environ []string) []Slip {
	defaults := Defaults()
	known := []string{"ONECLAW_CONFIG", pinVariable, passphraseVariable, mailVariable}
	for _, s := range defaults.Settings() {
		known = append(known, s.Env)
	}
	var out []Slip
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, "ONECLAW") || slices.Contains(known, name) {
			continue
		}
		meant := slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
		if distance(name, meant) <= near {
			out = append(out, Slip{name, meant})
		}
	}
	return out
}

// distance is how many letters have to be added, dropped or changed to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// mistyped is the error of a setting in a file whose value is of another type.
func mistyped(where, key string) error {
	defaults := Defaults()
	for _, s := range defaults.Settings() {
		if s.Key == key {
			return ErrConfig.Detail("%s%s: must be %s", where, key, s.kind())
		}
	}
	return unknown(where, key)
}

// kind says in words what values the setting takes.
func (s Setting) kind() string {
	switch s.value.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return `a list of texts, such as ["a", "b"]`
	}
	return "a text in quotes"
}
