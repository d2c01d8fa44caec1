package appliance

import "reflect"

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
