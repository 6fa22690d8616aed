package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// quote matches a link to a template with a line of it in backquotes after it.
var quote = regexp.MustCompile("\\]\\(([^)]+\\.bicep)\\) `([^`]+)`")

// checkQuotes returns a complaint for each line that docs/policies.md quotes and that
// the named template does not have.
func checkQuotes(root string) ([]string, error) {
	const page = "docs/policies.md"
	lines, err := readLines(filepath.Join(root, page))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var complaints []string
	for i, line := range lines {
		found := quote.FindStringSubmatch(line)
		if found == nil {
			if strings.Contains(line, "| met") {
				complaints = append(complaints, fmt.Sprintf("%s:%d: a rule that is met names no line of a template", page, i+1))
			}
			continue
		}
		template, err := os.ReadFile(filepath.Join(root, "docs", filepath.FromSlash(found[1])))
		if err != nil {
			complaints = append(complaints, fmt.Sprintf("%s:%d: %s cannot be read", page, i+1, found[1]))
			continue
		}
		if !strings.Contains(string(template), found[2]) {
			complaints = append(complaints, fmt.Sprintf("%s:%d: %s does not contain %q; is the rule still met?", page, i+1, found[1], found[2]))
		}
	}
	return complaints, nil
}
