package declaration

import (
	"errors"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// yamlRule turns an error of the YAML parser into words.
type yamlRule struct {
	pattern *regexp.Regexp
	// problem and want may use the groups of the pattern, as $1.
	problem, want string
}

// yamlRules cover the errors of the YAML parser that people cause. Its texts speak
// of tokens, nodes and types of Go.
func yamlRules() []yamlRule {
	rule := func(pattern, problem, want string) yamlRule {
		return yamlRule{regexp.MustCompile(pattern), problem, want}
	}
	return []yamlRule{
		rule(`mapping key "(.*)" already defined at line (\d+)`, `has the field $1 twice, first in line $2`, `each field once`),
		rule(`cannot start any token|tab character`, `is not YAML: a value or its indentation begins with a character that is not allowed there, such as a tab, @ or %`, `spaces for the indentation, and quotes around such a value`),
		rule(`mapping values are not allowed`, `is not YAML: a colon is at a place where no field can be`, `quotes around a text that contains a colon, and each field in a line of its own`),
		rule(`unexpected end of stream`, `is not YAML: a text in quotes does not end`, `a closing quote`),
		rule(`expected node content|expected ',' or`, `is not YAML: a bracket is not closed, or a value is missing`, `each bracket closed, and a comma between values`),
		rule(`expected '-' indicator`, `is not YAML: a list and fields are mixed`, `each item of the list after a hyphen, with the same indentation`),
		rule(`expected key|expected <block end>|block sequence entries|block mapping`, `is not YAML: a line is indented differently from the lines that it belongs to`, `the same indentation for the fields of one object`),
		rule(`unknown anchor '(.*)' referenced`, `is not YAML: the anchor $1 is used and not defined`, `a value with &$1 before its use, or quotes around a text that begins with *`),
		rule(`anchor '(.*)' value contains itself`, `is not YAML: the anchor $1 contains itself`, `an anchor without a reference to itself`),
		rule(`invalid map key|cannot unmarshal .* into`, `has a field name that is not a text`, `field names that are texts, and quotes around a text that begins with {`),
		rule("cannot decode \\S+ `(.*)` as a (\\S+)", `has the value $1 with the tag $2, which does not fit`, `the value without the tag`),
		rule(`control characters`, `is not YAML: it contains a control character`, `printable characters in UTF-8`),
		rule(`invalid .*UTF-8|invalid leading|invalid trailing|incomplete UTF-`, `is not YAML: it is not encoded in UTF-8`, `a file in UTF-8`),
	}
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// yamlProblems returns the problems of a text that is not YAML, without the words
// of the parser.
func yamlProblems(err error) []Problem {
	var types *yaml.TypeError
	texts := []string{err.Error()}
	if errors.As(err, &types) {
		texts = types.Errors
	}
	var all []Problem
	for _, text := range texts {
		all = append(all, yamlProblem(text))
	}
	slices.SortStableFunc(all, func(a, b Problem) int { return a.Line - b.Line })
	return all
}

func yamlProblem(text string) Problem {
	p := Problem{Problem: "is not YAML: something is wrong", Want: "YAML, indented with spaces"}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		p.Line, _ = strconv.Atoi(m[1]) // it is digits
	}
	for _, r := range yamlRules() {
		if m := r.pattern.FindStringSubmatchIndex(text); m != nil {
			p.Problem = string(r.pattern.ExpandString(nil, r.problem, text, m))
			p.Want = string(r.pattern.ExpandString(nil, r.want, text, m))
			break
		}
	}
	return p
}
