package completion

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

// HiddenCommand is the command that the scripts call with the words so far.
const HiddenCommand = "__complete"

// filesLine is the line that makes a script complete the name of a file.
const filesLine = ":files"

//go:embed scripts
var scripts embed.FS

// Shells returns the shells that have a script.
func Shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// Script returns the script for a shell.
func Script(shell string) (string, error) {
	if !slices.Contains(Shells(), shell) {
		return "", fmt.Errorf("no completion for shell %q; use one of %s", shell, strings.Join(Shells(), ", "))
	}
	raw, err := scripts.ReadFile("scripts/" + shell)
	if err != nil {
		return "", fmt.Errorf("read the script for %s: %w", shell, err)
	}
	return string(raw), nil
}

// Text returns a result for the scripts: a word and its description in each line,
// separated by a tab.
func (r Result) Text() string {
	var b strings.Builder
	if r.Files {
		b.WriteString(filesLine + "\n")
	}
	for _, c := range r.Candidates {
		b.WriteString(oneLine(c.Value))
		if c.Help != "" {
			b.WriteString("\t" + oneLine(c.Help))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// oneLine replaces what separates lines and columns.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
