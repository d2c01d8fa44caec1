package main

import (
	"strings"

	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
)

// recipe is how many texts of a kind the grammar makes.
type recipe struct {
	source, category, label string
	start                   string
	count                   int
	carried                 bool // in a document
}

var recipes = []recipe{
	{"made-direct", "injection_direct", corpus.Attack, "ATTACK", 3000, false},
	{"made-languages", "injection_direct", corpus.Attack, "ATTACK_LANG", 1500, false},
	{"made-asking", "injection_direct", corpus.Attack, "ASKING", 1500, false},
	{"made-asking-languages", "injection_direct", corpus.Attack, "ASKING_LANG", 900, false},
	{"made-order", "injection_indirect", corpus.Attack, "docorder", 1200, false},
	{"made-lookalike", "hard_negative", corpus.Benign, "BENIGN", 4500, false},
	{"made-languages", "instruction", corpus.Benign, "BENIGN_LANG", 1500, false},
	{"made-document", "document", corpus.Benign, "body", 1200, false},
	{"made-asking", "instruction", corpus.Benign, "NOASKING", 1500, false},
	{"made-guide", "document", corpus.Benign, "GUIDE", 1500, false},
	{moodSource, "document", corpus.Benign, "PERSONA", 600, false},
	{moodSource, "document", corpus.Benign, "PROPS", 300, false},
	{"made-family", "injection_direct", corpus.Attack, "FAMILY", 1400, false},
	{"made-family-languages", "injection_direct", corpus.Attack, "FAMILY_LANG", 700, false},
	{"made-props", "hard_negative", corpus.Benign, "PROPS", 2500, false},
	{"made-props-languages", "instruction", corpus.Benign, "PROPS_LANG", 800, false},
	{moodSource, "injection_indirect", corpus.Attack, "TASK", 700, false},
	{moodSource, "injection_indirect", corpus.Attack, "TASK", 2800, true},
	{moodSource, "injection_indirect", corpus.Attack, "TASK_LANG", 700, false},
	{moodSource, "injection_indirect", corpus.Attack, "TASK_LANG", 1600, true},
	{moodSource, "injection_indirect", corpus.Attack, "MAILIN", 300, true},
	{moodSource, "document", corpus.Benign, "TOLD", 700, false},
	{moodSource, "document", corpus.Benign, "TOLD", 3200, true},
	{moodSource, "document", corpus.Benign, "TOLD_LANG", 500, false},
	{moodSource, "document", corpus.Benign, "TOLD_LANG", 1000, true},
	{"made-manual", "shell_doc", corpus.Benign, "MANUAL", 1800, false},
	{"made-manual-languages", "shell_doc", corpus.Benign, "MANUAL_LANG", 900, false},
	{"made-persona", "roleplay_benign", corpus.Benign, "PERSONA", 2500, false},
	{"made-persona-languages", "roleplay_benign", corpus.Benign, "PERSONA_LANG", 600, false},
	{"made-intent", "injection_direct", corpus.Attack, "INTENT", 2400, false},
	{"made-plain", "hard_negative", corpus.Benign, "PLAIN", 1800, false},
	{"made-short", "injection_direct", corpus.Attack, "SHORT", 900, false},
	{"made-short-languages", "injection_direct", corpus.Attack, "SHORT_LANG", 1400, false},
	{"made-steer", "injection_indirect", corpus.Attack, "STEER", 900, false},
	{"made-brief", "instruction", corpus.Benign, "BRIEF", 900, false},
	{"made-brief-languages", "instruction", corpus.Benign, "BRIEF_LANG", 700, false},
	{"made-prose", "document", corpus.Benign, "LMPROSE", 2400, false},
	{"made-role", "roleplay_benign", corpus.Benign, "LONGROLE", 1500, false},
	{"made-everyday", "hard_negative", corpus.Benign, "EVERYDAY", 3000, false},
	{"made-frame", "injection_direct", corpus.Attack, "FRAME", 2600, false},
	{"made-noframe", "hard_negative", corpus.Benign, "NOFRAME", 3600, false},
	{"made-turn", "injection_direct", corpus.Attack, "TURN", 1600, false},
	{"made-noturn", "hard_negative", corpus.Benign, "NOTURN", 1600, false},
	{"made-note", "hard_negative", corpus.Benign, "SHORTNOTE", 1000, false},
	{"made-page", "html_benign", corpus.Benign, "PAGENOTE", 500, false},
	{"made-script", "instruction", corpus.Benign, "SCRIPT", 2800, false},
	{"made-everyday-languages", "instruction", corpus.Benign, "EVERYDAY_LANG", 900, false},
	{"made-tongue", "injection_direct", corpus.Attack, "LURE_LANG", 2400, false},
	{"made-notongue", "instruction", corpus.Benign, "CALM_LANG", 2400, false},
	{"made-style", "injection_direct", corpus.Attack, "STYLE", 3000, false},
	{"made-nostyle", "hard_negative", corpus.Benign, "NOSTYLE", 3600, false},
	{"made-agent", "injection_indirect", corpus.Attack, "AGENTNOTE", 300, false},
	{"made-agent", "injection_indirect", corpus.Attack, "AGENTNOTE", 900, true},
	{"made-noagent", "document", corpus.Benign, "NOAGENT", 300, false},
	{"made-noagent", "document", corpus.Benign, "NOAGENT", 900, true},
	{"made-verdict", "injection_indirect", corpus.Attack, "VERDICT", 1500, false},
	{"made-noverdict", "document", corpus.Benign, "NOVERDICT", 1200, false},
	{"made-formal", "hard_negative", corpus.Benign, "FORMAL", 1500, false},
	{"made-quoted", "document", corpus.Benign, "QUOTED", 1200, false},
	{"made-readme", "document", corpus.Benign, "README", 2000, false},
	{"made-lesson", "document", corpus.Benign, "LESSON", 1500, false},
	{"made-turninto", "roleplay_benign", corpus.Benign, "TURNINTO", 800, false},
	{"made-setup", "roleplay_benign", corpus.Benign, "SETUP", 900, false},
	{"made-keeper", "injection_direct", corpus.Attack, "KEEPER", 1600, false},
	{"made-nokeeper", "hard_negative", corpus.Benign, "NOKEEPER", 1800, false},
	{"made-hijack", "injection_direct", corpus.Attack, "HIJACK", 2000, false},
	{"made-nohijack", "hard_negative", corpus.Benign, "NOHIJACK", 2200, false},
	{"made-oblique", "injection_direct", corpus.Attack, "OBLIQUE", 1600, false},
	{"made-nooblique", "hard_negative", corpus.Benign, "NOOBLIQUE", 1800, false},
	{"made-answer", "assistant_answer", corpus.Benign, "ANSWER", 700, false},
	{"made-keeper-languages", "injection_direct", corpus.Attack, "KEEPER_LANG", 2000, false},
	{"made-nokeeper-languages", "instruction", corpus.Benign, "NOKEEPER_LANG", 1600, false},
	{"made-derail-languages", "injection_direct", corpus.Attack, "DERAIL_LANG", 1200, false},
	{"made-noderail-languages", "instruction", corpus.Benign, "NODERAIL_LANG", 1200, false},
	{"made-swerve", "injection_direct", corpus.Attack, "SWERVE", 1800, false},
	{"made-noswerve", "hard_negative", corpus.Benign, "NOSWERVE", 2000, false},
	{"made-outlaw", "jailbreak", corpus.Attack, "OUTLAW", 2600, false},
	{"made-notice", "document", corpus.Benign, "NOTICE", 900, false},
	{"made-commit", "commit_message", corpus.Benign, "COMMITTEXT", 900, false},
	{"made-changerule", "document", corpus.Benign, "CHANGERULE", 900, false},
	{"made-echoed", "tool_result", corpus.Benign, "ECHOED", 900, false},
	{"made-trip", "html_benign", corpus.Benign, "TRIPPAGE", 300, false},
	{"made-civic", "hard_negative", corpus.Benign, "CIVIC", 800, false},
	{"made-clerk", "tool_prompt", corpus.Benign, "CLERK", 1100, false},
	{"made-setting", "config", corpus.Benign, "SETTING", 900, false},
	{"made-longanswer", "assistant_answer", corpus.Benign, "LONGANSWER", 900, false},
	{"made-mixed", "injection_direct", corpus.Attack, "MIXED", 900, false},
	{"made-nomixed", "instruction", corpus.Benign, "NOMIXED", 1000, false},
	{"made-fragment", "instruction", corpus.Benign, "FRAGMENT", 5000, false},
}

// moodSource is where texts are from that only the model of moods learns from.
const moodSource = "made-task"

const carried = 3600

// makeItems makes what the data has too little of.
func makeItems() ([]corpus.Item, error) {
	g, err := newGrammar(7)
	if err != nil {
		return nil, err
	}
	var items []corpus.Item
	add := func(source, category, label, text string) {
		items = append(items, corpus.Item{Source: source, Category: category, Label: label, Text: text, Language: "made"})
	}
	for _, r := range recipes {
		for range r.count {
			text := g.make(r.start)
			if r.carried {
				text = g.carry(text)
			}
			if g.rnd.n(5) == 0 {
				text = strings.ToLower(text)
			}
			add(r.source, r.category, r.label, text)
		}
	}
	for i := range carried {
		label, what := corpus.Attack, g.make("docorder")
		if i%2 == 1 {
			label, what = corpus.Benign, g.make("docbenign")
		}
		add("made-carried", "injection_indirect", label, g.carry(what))
	}
	return items, nil
}

// carry puts text into a document.
func (g *grammar) carry(text string) string {
	before, after := "", ""
	if g.rnd.n(2) == 0 {
		before = g.make("docbenign") + " "
	}
	if g.rnd.n(2) == 0 {
		after = " " + g.make("docbenign")
	}
	g.bind = map[string]string{"X": text, "Xbody": before + text + after}
	defer func() { g.bind = map[string]string{} }()
	return g.make("CARRIER")
}
