// Package completion completes a command line in a shell: commands, flags and
// their values. A script for each shell calls the program with the words so far.
//
// The package may not know the commands: it reads the grammar of kong. Values
// that it cannot read there, such as the IDs of operations, come from a source.
package completion

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Candidate is a word that may stand at the end of the line.
type Candidate struct {
	Value string
	// Help describes the word in a few words; empty if there is nothing to say.
	Help string
}

// Kind is a kind of values that the grammar does not list.
type Kind string

// The kinds of values. The tag complete names the kind of a flag or argument;
// without it, the name decides.
const (
	None       Kind = "none"
	Files      Kind = "file"
	Operations Kind = "operation"
	Flows      Kind = "flow"
	// FlowsOrFiles are both.
	FlowsOrFiles Kind = "flow-or-file"
	Statuses     Kind = "status"
	Contexts     Kind = "context"
	Rejected     Kind = "rejected"
	Commands     Kind = "command"
	Schedules    Kind = "schedule"
	// Vaults are the names and IDs of vaults, VaultIDs the IDs only.
	Vaults   Kind = "vault"
	VaultIDs Kind = "vault-id"
	// Items are the IDs of protected items and backup instances, RecoveryPoints
	// those of the recovery points of the item in the line.
	Items          Kind = "item"
	RecoveryPoints Kind = "recovery-point"
	// Parameters are further flags of a command, which depend on its arguments.
	Parameters Kind = "parameters"
)

// Result is the completion of one line.
type Result struct {
	Candidates []Candidate
	// Files means that the shell completes the name of a file.
	Files bool
}

// Line is a command line, as far as it is written.
type Line struct {
	// Flags holds the values of the flags so far, the last one of each name.
	Flags map[string]string
	// Arguments are the arguments of the command so far.
	Arguments []string
	node      *kong.Node
	// pending is the flag whose value is the last word.
	pending *kong.Flag
	// literal means that a word -- has ended the flags.
	literal bool
	last    string
}

// Parse reads the words after the name of the program. The last one is the word
// to complete; it may be empty.
func Parse(app *kong.Application, words []string) Line {
	l := Line{Flags: map[string]string{}, node: app.Node}
	if len(words) == 0 {
		words = []string{""}
	}
	for _, word := range words[:len(words)-1] {
		l.read(word)
	}
	l.last = words[len(words)-1]
	return l
}

// read reads a complete word.
func (l *Line) read(word string) {
	switch {
	case l.pending != nil:
		l.Flags[l.pending.Name] = word
		l.pending = nil
	case l.literal:
		l.Arguments = append(l.Arguments, word)
	case word == "--":
		l.literal = true
	case strings.HasPrefix(word, "-") && word != "-":
		name, value, joined := strings.Cut(strings.TrimLeft(word, "-"), "=")
		f := l.flag(word, name)
		switch {
		case f == nil:
		case joined:
			l.Flags[f.Name] = value
		case !f.IsBool() && !f.IsCounter():
			l.pending = f
		}
	default:
		if child := command(l.node, word); child != nil {
			l.node, l.Arguments = child, nil
			return
		}
		l.Arguments = append(l.Arguments, word)
	}
}

// flag returns the flag of a word, nil if there is none.
func (l *Line) flag(word, name string) *kong.Flag {
	for _, f := range l.flags() {
		if strings.HasPrefix(word, "--") && (f.Name == name || slices.Contains(f.Aliases, name)) || word == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

// flags returns the flags that may be set here, the command's own first.
func (l *Line) flags() (all []*kong.Flag) {
	for node := l.node; node != nil; node = node.Parent {
		all = append(all, node.Flags...)
	}
	return all
}

func command(node *kong.Node, word string) *kong.Node {
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && (child.Name == word || slices.Contains(child.Aliases, word)) {
			return child
		}
	}
	return nil
}

// Complete returns the words that may stand in place of the last one. values
// returns the values of a kind.
func (l Line) Complete(values func(Kind) []Candidate) Result {
	last, prefix := l.last, ""
	var kind Kind
	var all []Candidate
	switch name, value, joined := strings.Cut(last, "="); {
	case l.pending != nil:
		kind, all = kindOf(l.pending.Value, values)
	case l.literal || !strings.HasPrefix(last, "-") || last == "-" && l.node.Leaf():
		kind, all = l.words(values)
	case joined:
		f := l.flag(name, strings.TrimLeft(name, "-"))
		if f == nil {
			return Result{}
		}
		last, prefix = value, name+"="
		kind, all = kindOf(f.Value, values)
	default:
		all = append(l.flagWords(), values(Parameters)...)
	}
	return Result{Candidates: matching(all, last, prefix), Files: kind == Files || kind == FlowsOrFiles}
}

// words returns the commands and values of arguments that may come next.
func (l Line) words(values func(Kind) []Candidate) (Kind, []Candidate) {
	var all []Candidate
	for _, child := range l.node.Children {
		if !child.Hidden && len(l.Arguments) == 0 {
			all = append(all, Candidate{child.Name, child.Help})
		}
	}
	arguments := l.node.Positional
	if len(arguments) == 0 {
		return None, all
	}
	i := len(l.Arguments)
	if i >= len(arguments) {
		if i = len(arguments) - 1; !arguments[i].IsCumulative() {
			return None, all
		}
	}
	kind, more := kindOf(arguments[i], values)
	return kind, append(all, more...)
}

func (l Line) flagWords() (all []Candidate) {
	for _, f := range l.flags() {
		if !f.Hidden {
			all = append(all, Candidate{"--" + f.Name, f.Help})
		}
	}
	return all
}

// kindOf returns the kind of a value, and its values. A value with an enum has
// no other.
func kindOf(v *kong.Value, values func(Kind) []Candidate) (Kind, []Candidate) {
	if v.Enum != "" {
		var all []Candidate
		for word := range strings.SplitSeq(v.Enum, ",") {
			all = append(all, Candidate{Value: strings.TrimSpace(word)})
		}
		return None, all
	}
	kind := Kind(v.Tag.Get("complete"))
	if kind == "" {
		kind = usualKind(v.Name)
	}
	if kind == Files || kind == None {
		return kind, nil
	}
	if kind == FlowsOrFiles {
		return kind, values(Flows)
	}
	return kind, values(kind)
}

// usualKind returns the kind of the values that have a name.
func usualKind(name string) Kind {
	switch strings.ToLower(name) {
	case "id", "ids":
		return Operations
	case "file", "dist", "dir", "examples", "world", "azd-dir":
		return Files
	case "flow":
		return Flows
	case "flow-or-file":
		return FlowsOrFiles
	case "status":
		return Statuses
	case "context":
		return Contexts
	case "schedule":
		return Schedules
	case "vault":
		return Vaults
	case "item", "backup-instance":
		return Items
	case "recovery-point":
		return RecoveryPoints
	}
	return None
}

// matching returns the candidates with a prefix, each once.
func matching(all []Candidate, start, prefix string) []Candidate {
	found := []Candidate{}
	seen := map[string]bool{}
	for _, c := range all {
		if strings.HasPrefix(c.Value, start) && !seen[c.Value] {
			seen[c.Value] = true
			found = append(found, Candidate{prefix + c.Value, c.Help})
		}
	}
	return found
}
