package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// maxValue bounds what is read as a value: more than the appliance takes.
const maxValue = 8 << 20

// terminal is the file behind a stream, if that is a terminal.
func terminal(stream any) (*os.File, bool) {
	f, ok := stream.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// ask asks for a line.
func ask(cmd *cobra.Command, question string) (string, error) {
	f, ok := terminal(cmd.InOrStdin())
	if !ok {
		return "", usagef("%s: there is no terminal to ask on", strings.TrimRight(question, ": "))
	}
	defer interruptible(cmd, func() {})()
	fmt.Fprint(cmd.ErrOrStderr(), question)
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

// askSecret asks for a line that is not shown.
func askSecret(cmd *cobra.Command, question string) (string, error) {
	f, ok := terminal(cmd.InOrStdin())
	if !ok {
		return "", usagef("%s: there is no terminal to ask on", strings.TrimRight(question, ": "))
	}
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", err
	}
	// An interrupted prompt must not leave a terminal that shows nothing.
	defer interruptible(cmd, func() { _ = term.Restore(int(f.Fd()), before) })()
	fmt.Fprint(cmd.ErrOrStderr(), question)
	line, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(cmd.ErrOrStderr())
	return string(line), err
}

// interruptible ends the program when it is interrupted, after clean: a read from a
// terminal cannot be ended otherwise. What it returns is to be called when there was an
// answer.
func interruptible(cmd *cobra.Command, clean func()) (answered func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
		case <-cmd.Context().Done():
			clean()
			fmt.Fprintln(cmd.ErrOrStderr())
			os.Exit(codeInterrupted)
		}
	}()
	return func() { close(done) }
}

// confirm asks before something that cannot be taken back.
func (c *cli) confirm(cmd *cobra.Command, question string) error {
	if c.yes {
		return nil
	}
	if _, ok := terminal(cmd.InOrStdin()); !ok {
		return usagef("%s There is no terminal to ask on: say --yes", printable(question))
	}
	answer, err := ask(cmd, printable(question)+" [y/N] ")
	if err != nil {
		return err
	}
	if a := strings.ToLower(answer); a != "y" && a != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}

// input is where a command takes a value from.
type input struct {
	stdin bool
	file  string
}

func (in *input) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&in.stdin, "stdin", false, "read the value from standard input, without the newline at its end")
	cmd.Flags().StringVarP(&in.file, "file", "f", "", "read the value from a file, as it is")
	cmd.MarkFlagsMutuallyExclusive("stdin", "file")
}

// read reads a value: from the file or standard input, or from a prompt on a terminal.
func (in *input) read(cmd *cobra.Command, what string) (string, error) {
	if in.file != "" {
		f, err := os.Open(in.file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		return readValue(f, what)
	}
	if _, ok := terminal(cmd.InOrStdin()); ok && !in.stdin {
		value, err := askSecret(cmd, what+": ")
		if err == nil && value == "" {
			err = usagef("no value was given")
		}
		return value, err
	}
	value, err := readValue(cmd.InOrStdin(), what)
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	if err == nil && value == "" {
		err = usagef("no value on standard input")
	}
	return value, err
}

func readValue(r io.Reader, what string) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxValue+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxValue:
		return "", usagef("%s is larger than %d MB", what, maxValue>>20)
	case !utf8.Valid(text):
		return "", usagef("%s is not text: encode it, as with `base64 FILE | oneclaw secret set PATH --stdin`", what)
	}
	return string(text), nil
}

// noValue refuses a value on the command line, without saying it again.
func noValue(args int) cobra.PositionalArgs {
	return func(_ *cobra.Command, given []string) error {
		if len(given) > args {
			return usagef("values are not taken from the command line, where others see them: use --stdin, --file or the prompt (and think of your shell's history)")
		}
		return cobra.ExactArgs(args)(nil, given)
	}
}
