package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"azbackupflow/internal/cli"
)

// usageRule turns an error of the parser into words of this program.
type usageRule struct {
	// pattern matches the parser's text.
	pattern *regexp.Regexp
	// text and remedy may use the groups of the pattern, as $1, and $help for the
	// command whose help explains more.
	text, remedy string
}

// usageRules cover what the parser reports about a command line. The texts of the
// parser are those of kong, and name types of Go.
func usageRules() []usageRule {
	rule := func(pattern, text, remedy string) usageRule {
		return usageRule{regexp.MustCompile("^" + pattern + "$"), text, remedy}
	}
	return []usageRule{
		rule(`unknown flag (\S+), did you mean (?:one of )?(.+)\?`, `$1 is not a flag of this command`, `did you mean $2? $help shows the flags`),
		rule(`unknown flag (\S+)`, `$1 is not a flag of this command`, `$help shows the flags`),
		rule(`unexpected argument (.*), did you mean (?:one of )?(.+)\?`, `"$1" is not a command`, `did you mean $2? $help shows the commands`),
		rule(`unknown command (.*)`, `"$1" is not a command`, `$help shows the commands`),
		rule(`unexpected argument (.*)`, `the argument "$1" is not expected here`, `leave it out, or put a value that contains spaces in quotes; $help shows the arguments`),
		rule(`missing flags: (--\S+?)=([A-Z]+)\S*`, `$1 is missing`, `add $1 $2; $help explains it`),
		rule(`unexpected flag argument "(.*)"`, `the value "$1" belongs to a flag that takes none`, `leave it out; $help shows the flags`),
		rule(`missing flags: (.*)`, `$1 is missing`, `add it; $help explains it`),
		rule(`missing positional arguments (.*)`, `$1 is missing`, `add it after the command; $help explains it`),
		rule(`expected "(<.*>.*)"`, `$1 is missing`, `add it after the command; $help explains it`),
		rule(`expected one of (.*)`, `the command is missing`, `name one, such as $1; $help lists all`),
		rule(`expected "(.*)"`, `the command is missing`, `name one: $1; $help explains it`),
		rule(`(--\S+?|<.*>)(?:=\S+)? must be one of (.*) but got "(.*)"`, `$1 "$3" is not a valid value`, `use one of $2`),
		rule(`(--\S+?)(?:=\S+)?: expected a valid \d+ bit u?int but got "(.*)"`, `$1 "$2" is not a whole number`, `use a whole number such as 50`),
		rule(`(--\S+?)(?:=\S+)?: expected an? (?:int|float|uint) but got "(.*)" \(.*\)`, `$1 "$2" is not a number`, `use a number such as 2`),
		rule(`(--\S+?)(?:=\S+)?: expected .* value but got "(?:EOL|.*)" \(.*\)(?:; perhaps try .*)?`, `$1 has no value`, `write the value after it, or after = if it begins with a hyphen`),
		rule(`(--\S+?)(?:=\S+)?: missing value, expecting .*`, `$1 has no value`, `write the value after it, or after = if it begins with a hyphen`),
		rule(`(--\S+?)(?:=\S+)?: bool value must be .* but got "(.*)"`, `$1 "$2" is not true or false`, `write the flag without a value, or with =true or =false`),
		rule(`(--\S+?)(?:=\S+)?: expected "<key>=<value>" but got "(.*)"`, `$1 "$2" is not NAME=VALUE`, `write it such as team=files; repeat the flag for more`),
		rule(`(--\S+?)(?:=\S+)? and (--\S+) can't be used together`, `$1 and $2 exclude each other`, `leave out one of them`),
	}
}

// usageError returns the error of a command line that cannot be parsed.
func usageError(err error) error {
	var failed *kong.ParseError
	help := "azbackupflow --help"
	if errors.As(err, &failed) && failed.Context != nil {
		if word, ok := strings.CutPrefix(err.Error(), "unexpected argument "); ok && !strings.Contains(word, ", did you mean") && expectsCommand(failed.Context) {
			err = fmt.Errorf("unknown command %s", word)
		}
		if command := commandOf(failed.Context); command != "" {
			help = "azbackupflow " + command + " --help"
		}
	}
	text := err.Error()
	for _, r := range usageRules() {
		m := r.pattern.FindStringSubmatchIndex(text)
		if m == nil {
			continue
		}
		expand := func(template string) string {
			words := string(r.pattern.ExpandString(nil, strings.ReplaceAll(template, "$help", "$$help"), text, m))
			return strings.ReplaceAll(strings.ReplaceAll(words, "$help", help), `"`+`"`, `"`)
		}
		remedy := expand(r.remedy)
		if values, ok := strings.CutPrefix(remedy, "use one of "); ok {
			remedy = "use one of " + strings.ReplaceAll(strings.ReplaceAll(values, `","`, ", "), `"`, "")
		}
		return &cli.UsageError{Text: expand(r.text), Remedy: remedy}
	}
	return &cli.UsageError{Text: text, Remedy: fmt.Sprintf("see %s", help)}
}

// commandOf returns the names of the command that a context has found.
func commandOf(c *kong.Context) string {
	var names []string
	for _, p := range c.Path {
		if p.Command != nil {
			names = append(names, p.Command.Name)
		}
	}
	return strings.Join(names, " ")
}

// expectsCommand reports whether a command of the command that a context has found
// may come next.
func expectsCommand(c *kong.Context) bool {
	node := c.Selected()
	return node == nil || len(node.Children) > 0 && len(node.Positional) == 0
}
