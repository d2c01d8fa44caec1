package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manual is where a release has its man pages written to. A test writes them, so
// that what renders them is not a part of the program.
var manual = flag.String("manual", "", "folder to write the man pages to")

// TestManual: every command has a page, dated SOURCE_DATE_EPOCH if that is set.
func TestManual(t *testing.T) {
	dir := *manual
	if dir == "" {
		dir = t.TempDir()
	}
	root := newRoot()
	root.DisableAutoGenTag = true
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "oneclawd", Manual: "oneclawd"}, dir); err != nil {
		t.Fatal(err)
	}
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		if c.HasParent() && !c.IsAvailableCommand() { // hidden, or help
			return
		}
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		if !strings.Contains(string(text), ".SH SYNOPSIS") {
			t.Errorf("%s has no synopsis", name)
		}
		// Help teaches by example: a line to copy, of the command or of its family.
		if c.Runnable() && c.HasParent() && !regexp.MustCompile(`(?m)^  .*`+c.CommandPath()).MatchString(c.Example+"\n"+c.Long) && c.Parent().Name() != "completion" {
			t.Errorf("the help of %s has no example", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(root)
}
