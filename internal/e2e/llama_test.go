package e2e

import (
	"bytes"
	bin "encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLocalModel is Shroud before a server of models as sites run them on their own
// network: llama.cpp, behind a server that speaks as OpenAI does and was written by
// somebody else. The model has been told a secret, and says nothing else.
func TestLocalModel(t *testing.T) {
	needSoftHSM(t)
	if !slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), "llama") {
		t.Skip("no llama: its 130 MB from npm are installed where ONECLAW_REQUIRE lists it")
	}
	modules, err := installed(t, "llama", "--omit=optional")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	model := filepath.Join(dir, "small.gguf")
	if err := os.WriteFile(model, smallModel("▁All", "▁is", "▁well", ",▁and▁the▁key▁is", "▁hunter2", "hunter2", "."), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "llama"), os.DirFS("llama")); err != nil {
		t.Fatal(err)
	}
	p := launch(t, filepath.Join(dir, "out"), filepath.Join(dir, "err"), nil, "node", filepath.Join(dir, "llama", "serve.mjs"), model)
	var base string
	eventually(t, patience, "serving the model", func() bool {
		text, err := os.ReadFile(p.stdout)
		base = strings.TrimSpace(string(text))
		return err == nil && strings.HasSuffix(string(text), "\n")
	})

	d := newDev(t)
	d.args = append(d.args, "--set", "shroud.providers=llama="+base+"/openai/v1", "--set", "shroud.silence=5m")
	d.start()
	k := d.talker(t, map[string]any{"daily_budget_usd": 1})
	d.human().put(k.vault, "door/word", "hunter2hunter2").is(t, 201)
	ask := func(more ...string) answer {
		return k.say("llama", chat, strings.Replace(said("Is all well with the garden?", more...), `"m"`, `"small"`, 1)).is(t, 200)
	}
	whole := into[struct {
		Choices []struct {
			Message struct{ Content string }
			Finish  string `json:"finish_reason"`
		}
		Usage struct {
			Out int `json:"completion_tokens"`
		}
	}](t, ask())
	if len(whole.Choices) != 1 || whole.Choices[0].Message.Content != "All is well, and the key is [REDACTED:door/word]." || whole.Choices[0].Finish != "stop" || whole.Usage.Out == 0 {
		t.Errorf("the model says %+v", whole)
	}
	stream := ask(`"stream":true`)
	text := ""
	for line := range strings.Lines(string(stream.body)) {
		var ev struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if raw, ok := strings.CutPrefix(line, "data: "); ok && json.Unmarshal([]byte(raw), &ev) == nil && len(ev.Choices) > 0 {
			text += ev.Choices[0].Delta.Content
		}
	}
	if strings.Contains(text, "hunter2") || !strings.Contains(text, "[REDACTED:door/word].") || !strings.HasSuffix(strings.TrimSpace(string(stream.body)), "data: [DONE]") {
		t.Errorf("the model's stream says %q: %s", text, stream.body)
	}
}

// smallModel is a model in GGUF, version 3: Llama's, of one layer that adds nothing.
// Each token is an axis of its own, so that what comes next depends on the last one
// alone: the words, in their order, and then the end.
func smallModel(words ...string) []byte {
	tokens, kinds := []string{"<unk>", "<s>", "</s>"}, []uint32{2, 3, 3} // unknown, control
	for b := range 256 {
		tokens, kinds = append(tokens, "<0x"+strings.ToUpper(string([]byte{hexDigits[b>>4], hexDigits[b&15]}))+">"), append(kinds, 6)
	}
	begin := uint32(len(tokens))
	for _, word := range words {
		tokens, kinds = append(tokens, word), append(kinds, 1)
	}
	const width, inner, end = 288, 32, 2
	count := len(tokens)
	embed, next := make([]float32, count*width), make([]float32, count*width)
	for i := range count {
		to := begin
		if i == count-1 {
			to = end
		} else if i >= int(begin) {
			to = uint32(i + 1)
		}
		embed[i*width+i], next[int(to)*width+i] = 1, 4
	}
	g := &gguf{}
	g.text("general.architecture", "llama")
	for name, v := range map[string]uint32{
		"llama.context_length": 2048, "llama.embedding_length": width, "llama.block_count": 1, "llama.feed_forward_length": inner,
		"llama.attention.head_count": 4, "llama.attention.head_count_kv": 4, "llama.rope.dimension_count": width / 4,
		"tokenizer.ggml.unknown_token_id": 0, "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": end,
	} {
		g.value(name, 4, v)
	}
	g.value("llama.attention.layer_norm_rms_epsilon", 6, float32(1e-5))
	g.text("tokenizer.ggml.model", "llama")
	g.list("tokenizer.ggml.tokens", 8, len(tokens))
	for _, token := range tokens {
		g.string(&g.about, token)
	}
	g.list("tokenizer.ggml.scores", 6, count)
	put(&g.about, make([]float32, count))
	g.list("tokenizer.ggml.token_type", 5, count)
	put(&g.about, kinds)
	g.text("tokenizer.chat_template", "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:")
	ones := slices.Repeat([]float32{1}, width)
	g.tensor("token_embd.weight", embed, width, count)
	g.tensor("output.weight", next, width, count)
	for _, name := range []string{"output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"} {
		g.tensor(name+".weight", ones, width)
	}
	for _, name := range []string{"q", "k", "v", "output"} {
		g.tensor("blk.0.attn_"+name+".weight", make([]float32, width*width), width, width)
	}
	g.tensor("blk.0.ffn_gate.weight", make([]float32, width*inner), width, inner)
	g.tensor("blk.0.ffn_up.weight", make([]float32, width*inner), width, inner)
	g.tensor("blk.0.ffn_down.weight", make([]float32, width*inner), inner, width)
	return g.bytes()
}

const hexDigits = "0123456789abcdef"

// gguf is a file of a model on its way.
type gguf struct {
	values, tensors     uint64
	about, listed, held bytes.Buffer
}

func put(to *bytes.Buffer, v any) {
	if err := bin.Write(to, bin.LittleEndian, v); err != nil {
		panic(err) // a type of no fixed size
	}
}

func (g *gguf) string(to *bytes.Buffer, s string) {
	put(to, uint64(len(s)))
	to.WriteString(s)
}

func (g *gguf) value(name string, kind uint32, v any) {
	g.values++
	g.string(&g.about, name)
	put(&g.about, kind)
	put(&g.about, v)
}

func (g *gguf) text(name, text string) {
	g.value(name, 8, uint64(len(text)))
	g.about.WriteString(text)
}

func (g *gguf) list(name string, kind uint32, n int) {
	g.value(name, 9, kind)
	put(&g.about, uint64(n))
}

// tensor adds numbers, at the next multiple of 32 bytes.
func (g *gguf) tensor(name string, values []float32, shape ...int) {
	g.tensors++
	g.string(&g.listed, name)
	put(&g.listed, uint32(len(shape)))
	for _, n := range shape {
		put(&g.listed, uint64(n))
	}
	put(&g.listed, uint32(0)) // single precision
	put(&g.listed, uint64(g.held.Len()))
	put(&g.held, values)
	pad(&g.held)
}

func pad(b *bytes.Buffer) { b.Write(make([]byte, -b.Len()&31)) }

func (g *gguf) bytes() []byte {
	var out bytes.Buffer
	out.WriteString("GGUF")
	put(&out, uint32(3))
	put(&out, []uint64{g.tensors, g.values})
	out.Write(g.about.Bytes())
	out.Write(g.listed.Bytes())
	pad(&out)
	out.Write(g.held.Bytes())
	return out.Bytes()
}
