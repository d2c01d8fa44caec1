// Command vocabulary writes the tokens of OpenAI's models since GPT-4o, from the module that
// has them as Go's code, in the form that package tokens embeds: the tokens in the order
// of their ranks, each behind its length, compressed. It is run by `make vocabulary`.
package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"os"

	"github.com/tiktoken-go/tokenizer/codec"
)

func main() {
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(file string) error {
	from := codec.NewO200kBase()
	var plain, packed bytes.Buffer
	for rank := uint(0); ; rank++ {
		token, err := from.Decode([]uint{rank})
		if err != nil {
			break // the first rank that there is not
		}
		plain.WriteByte(byte(len(token)))
		plain.WriteString(token)
	}
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(plain.Bytes()); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, packed.Bytes(), 0o644) //nolint:gosec // it is published
}
