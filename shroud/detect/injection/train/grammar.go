package main

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed grammar/*.txt
var grammarFiles embed.FS

// grammar makes sentences: attacks and harmless ones, from alternatives that
// were written for it. What it says is in the files of its folder.
type grammar struct {
	rules map[string][]string
	rnd   random
	bind  map[string]string // what a name stands for here, rather than in rules
}

// newGrammar reads the files, in the order of their names.
func newGrammar(seed uint64) (*grammar, error) {
	g := &grammar{rules: map[string][]string{}, rnd: random{state: seed}, bind: map[string]string{}}
	files, err := grammarFiles.ReadDir("grammar")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := grammarFiles.ReadFile("grammar/" + f.Name())
		if err != nil {
			return nil, err
		}
		name := ""
		for n, line := range strings.Split(string(text), "\n") {
			switch {
			case line == "" || strings.HasPrefix(line, "# "):
			case line[0] != '\t':
				name = line
			case name == "":
				return nil, fmt.Errorf("%s: line %d stands under no name", f.Name(), n+1)
			default:
				g.rules[name] = append(g.rules[name], strings.ReplaceAll(line[1:], `\n`, "\n"))
			}
		}
	}
	return g, nil
}

// make makes one of name.
func (g *grammar) make(name string) string {
	var b strings.Builder
	g.expand(&b, "{"+name+"}", 0)
	return b.String()
}

const maxNesting = 12

// expand writes text, with a choice made of each [a|b] and each {name}. What is made of
// {name~} begins with a small letter.
func (g *grammar) expand(b *strings.Builder, text string, depth int) {
	for i := 0; i < len(text); {
		switch text[i] {
		case '[':
			end, parts := alternatives(text[i:])
			if len(parts) < 2 {
				b.WriteByte('[')
				i++
				continue
			}
			g.expand(b, pick(&g.rnd, parts), depth+1)
			i += end
			continue
		case '{':
			end := strings.IndexByte(text[i:], '}')
			if end > 0 {
				name := text[i+1 : i+end]
				if bound, ok := g.bind[name]; ok {
					b.WriteString(bound)
					i += end + 1
					continue
				}
				name, small := strings.CutSuffix(name, "~")
				if options := g.rules[name]; options != nil && depth < maxNesting {
					from := b.Len()
					g.expand(b, pick(&g.rnd, options), depth+1)
					if small {
						lowerFirst(b, from)
					}
					i += end + 1
					continue
				}
			}
		}
		b.WriteByte(text[i])
		i++
	}
}

// lowerFirst makes the letter at from a small one.
func lowerFirst(b *strings.Builder, from int) {
	text := b.String()
	if from == len(text) {
		return
	}
	b.Reset()
	b.WriteString(text[:from] + strings.ToLower(text[from:from+1]) + text[from+1:])
}

// alternatives splits [a|b|c] at its own bars, and says where it ends.
func alternatives(text string) (end int, parts []string) {
	depth, from := 0, 1
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '[':
			depth++
		case ']':
			depth--
			if depth == 0 {
				return i + 1, append(parts, text[from:i])
			}
		case '|':
			if depth == 1 {
				parts = append(parts, text[from:i])
				from = i + 1
			}
		}
	}
	return 0, nil
}
