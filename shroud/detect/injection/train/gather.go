package main

import (
	"math"

	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
)

// folds are the families that are left out together: none has all there is of a
// kind, but for the largest.
var folds = [][]string{
	{"garak", "OASST"},
	{"CyberSecEval"},
	{"deepset", "self-instruct-seed", "project:caddy"},
	{"promptshield", "BFCL", "GPTFuzz"},
	{"goodwiins-multilang", "tldr-pages", "Giskard"},
	{"BIPIA", "dair-ai-guide"},
	{"PayloadsAllTheThings", "presidio", "validator.js", "gitleaks", "detect-secrets", "CredSweeper"},
	{"awesome-chatgpt-prompts", "project:age", "project:pocketbase"},
	{"derived"},
}

func foldOf(family string) int {
	for i, f := range folds {
		for _, name := range f {
			if name == family {
				return i
			}
		}
	}
	return int(fnv(family) % uint32(len(folds)))
}

func fnv(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// gather makes bags of the items and of what the grammar adds.
func gather(items []corpus.Item) ([]*bag, error) {
	made, err := makeItems()
	if err != nil {
		return nil, err
	}
	var bags []*bag
	for _, it := range items {
		bags = append(bags, bagOf(it, foldOf(it.Family()), false))
	}
	for i, it := range made {
		bags = append(bags, bagOf(it, i%len(folds), true))
	}
	weigh(bags)
	relate(bags)
	return bags, nil
}

// weigh gives each family of sources a say that grows with the root of its size.
func weigh(bags []*bag) {
	sizes := map[string]int{}
	key := func(b *bag) string { return b.item.Family() + "/" + b.item.Label }
	for _, b := range bags {
		sizes[key(b)]++
	}
	var sum [2]float64
	for _, b := range bags {
		w := 1 / math.Sqrt(float64(sizes[key(b)]))
		switch {
		case b.item.Category == "code_abuse":
			w /= 2
		case b.attack && !b.item.OnModels():
			w = 0
		}
		b.weight = float32(w)
		sum[side(b)] += w
	}
	for _, b := range bags {
		b.weight *= float32(float64(len(bags)) / 2 / sum[side(b)])
	}
}

func side(b *bag) int {
	if b.attack {
		return 1
	}
	return 0
}
