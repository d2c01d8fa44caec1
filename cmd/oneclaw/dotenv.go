package main

import (
	"fmt"
	"regexp"
	"strings"
)

// variable is one setting of an environment.
type variable struct{ Name, Value string }

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseDotenv reads what is commonly called a .env file: NAME=value lines, comments,
// "export ", values in single quotes, which are literal, and in double quotes, with
// escapes. Quoted values may have several lines. Nothing is expanded: a dollar sign
// in a secret is a dollar sign. What is wrong is told by its line, never by its text.
func parseDotenv(text string) ([]variable, error) {
	var all []variable
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	for line := 1; text != ""; {
		row, rest, _ := strings.Cut(text, "\n")
		trimmed := strings.TrimSpace(row)
		if trimmed == "" || trimmed[0] == '#' {
			text, line = rest, line+1
			continue
		}
		name, _, found := strings.Cut(trimmed, "=")
		name = strings.TrimSpace(strings.TrimPrefix(name, "export "))
		if !found || !variableName.MatchString(name) {
			return nil, fmt.Errorf("line %d is not NAME=value", line)
		}
		_, after, _ := strings.Cut(text, "=")
		value, rest, err := dotenvValue(after)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		line += strings.Count(text[:len(text)-len(rest)], "\n")
		all = append(all, variable{name, value})
		text = rest
	}
	return all, nil
}

// dotenvValue reads what is after the sign, and returns what is after its line.
func dotenvValue(s string) (value, rest string, err error) {
	s = strings.TrimLeft(s, " \t")
	if s == "" || (s[0] != '\'' && s[0] != '"') {
		value, rest, _ = strings.Cut(s, "\n")
		if i := strings.IndexByte(value, '#'); i == 0 || i > 0 && (value[i-1] == ' ' || value[i-1] == '\t') {
			value = value[:i]
		} else if i := strings.Index(value, " #"); i >= 0 {
			value = value[:i]
		}
		return strings.TrimSpace(value), rest, nil
	}
	value, s, err = quotedValue(s[1:], s[0])
	if err != nil {
		return "", "", err
	}
	tail, rest, _ := strings.Cut(s, "\n")
	if tail = strings.TrimSpace(tail); tail != "" && tail[0] != '#' {
		return "", "", fmt.Errorf("there is more after the closing quote")
	}
	return value, rest, nil
}

// quotedValue reads up to the closing quote.
func quotedValue(s string, quote byte) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return b.String(), s[i+1:], nil
		case s[i] == '\\' && quote == '"' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			case '"', '\\', '$', '`':
				b.WriteByte(s[i])
			default:
				b.WriteByte('\\')
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", fmt.Errorf("a quote is not closed")
}

var plainValue = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// dotenvLine writes a variable so that parseDotenv reads the same value, and, but for
// carriage returns, a shell that sources the file does too.
func dotenvLine(v variable) string { return v.Name + "=" + dotenvQuoted(v.Value) }

func dotenvQuoted(value string) string {
	switch {
	case plainValue.MatchString(value):
		return value
	case !strings.ContainsAny(value, "'\n\r"):
		return "'" + value + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`", "\r", `\r`).Replace(value) + `"`
}

// shellLine writes a variable for a POSIX shell to evaluate.
func shellLine(v variable) string {
	value := v.Value
	if !plainValue.MatchString(value) {
		value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return "export " + v.Name + "=" + value
}
