package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// place limits where a word is looked for.
type place int

const (
	anywhere      place = iota // in prose: comments, string literals, pages
	sentenceStart              // in prose, at the start of a sentence
	docVerb                    // in a doc comment, directly after the name that it documents
	namePart                   // in a declared Go name, as one of its parts, such as `Told` in toldLast
	limitName                  // in a declared Go name, as its first part, such as `longest` in longestName
)

// word is a wording to avoid.
type word struct {
	pattern string // a regular expression; see words
	unless  string // a regular expression over the match; a match of it is accepted
	place   place
	caseful bool   // upper and lower case differ
	instead string // the replacement, for the message
	example string // a text in which pattern matches, for the tests
}

// rule is a word that is ready to match.
type rule struct {
	word
	match, accept *regexp.Regexp
}

func compile(list []word) ([]rule, error) {
	rules := make([]rule, 0, len(list))
	for _, w := range list {
		flags := "(?i)"
		if w.caseful || w.place == namePart || w.place == limitName {
			flags = ""
		}
		pattern := strings.ReplaceAll(w.pattern, " ", `\s+`)
		switch w.place {
		case sentenceStart:
			pattern = `(?s)(?:^\s*|[.;:?!]\s+|\n\s*\n\s*|(?:^|\n)\s*(?:[-*>]|\d+\.)\s+|[|>]-?\s*\n\s*)(` + pattern + `)`
		case docVerb:
			pattern = `^\s*[\w.]+\s+(` + pattern + `)\b`
		case namePart, limitName:
			pattern = `^(` + pattern + `)$`
		case anywhere:
			pattern = `\b(` + pattern + `)\b`
		}
		match, err := regexp.Compile(flags + pattern)
		if err != nil {
			return nil, fmt.Errorf("compile the pattern of %q: %w", w.example, err)
		}
		r := rule{word: w, match: match}
		if w.unless != "" {
			if r.accept, err = regexp.Compile("(?i)" + w.unless); err != nil {
				return nil, fmt.Errorf("compile the accepted text of %q: %w", w.example, err)
			}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// find returns the offsets in t at which the rule matches.
func (r rule) find(t text) []span {
	switch {
	case (r.place == namePart || r.place == limitName) != (t.kind == name):
		return nil
	case r.place == docVerb && t.kind != docComment:
		return nil
	case t.kind == name:
		return r.findInName(t)
	}
	var found []span
	for _, m := range r.match.FindAllStringSubmatchIndex(t.body, -1) {
		s := span{m[2], m[3]}
		if r.accept == nil || !r.accept.MatchString(strings.Join(strings.Fields(t.body[s.from:s.to]), " ")) {
			found = append(found, s)
		}
	}
	return found
}

// standardTerms are names of Azure and of the field that end in a part to avoid.
var standardTerms = []string{"DeadLetter", "DeadLetters", "ResourceGuard"}

func (r rule) findInName(t text) []span {
	parts := nameParts(t.body)
	for i, part := range parts {
		switch {
		case !r.match.MatchString(part):
		case r.place == limitName && (i > 0 || len(parts) == 1):
		case i > 0 && slices.Contains(standardTerms, parts[i-1]+part):
		default:
			return []span{{0, len(t.body)}}
		}
	}
	return nil
}

// nameParts splits a Go name where an upper-case letter follows a lower-case
// one, and at underscores. The first part is returned in title case too, unless
// the name is one word in lower case: a local variable may be short.
func nameParts(s string) []string {
	var parts []string
	start := 0
	for i := 1; i < len(s); i++ {
		if s[i] == '_' || isUpper(s[i]) && !isUpper(s[i-1]) {
			parts = append(parts, strings.TrimLeft(s[start:i], "_"))
			start = i
		}
	}
	parts = append(parts, strings.TrimLeft(s[start:], "_"))
	if len(parts) > 1 && !isLimit(parts[0]) && parts[0] != "" {
		parts[0] = strings.ToUpper(parts[0][:1]) + parts[0][1:]
	}
	return parts
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// isLimit reports whether a name's first part is a superlative in lower case.
func isLimit(part string) bool {
	return slices.Contains([]string{"longest", "most", "fewest", "least"}, part)
}

// checkProse returns a complaint for each wording to avoid below the paths, in
// the order of the files and lines.
func checkProse(paths []string, list []word) ([]string, error) {
	rules, err := compile(list)
	if err != nil {
		return nil, err
	}
	files, err := proseFiles(paths)
	if err != nil {
		return nil, err
	}
	var complaints []string
	for _, file := range files {
		texts, err := readTexts(file)
		if err != nil {
			return nil, err
		}
		complaints = append(complaints, complain(file, texts, rules)...)
	}
	return complaints, nil
}

func complain(file string, texts []text, rules []rule) []string {
	type hit struct {
		line int
		text string
	}
	var hits []hit
	for _, t := range texts {
		for _, r := range rules {
			for _, s := range r.find(t) {
				line := t.line(s.from)
				found := strings.Join(strings.Fields(t.body[s.from:s.to]), " ")
				hits = append(hits, hit{line, fmt.Sprintf("%s:%d: %q; write %s", file, line, shorten(found), r.instead)})
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return a.line - b.line })
	lines := make([]string, len(hits))
	for i, h := range hits {
		lines[i] = h.text
	}
	return slices.Compact(lines)
}

func shorten(s string) string {
	const maxShown = 60
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}
