package main

import (
	"regexp"
	"strings"

	"azbackupflow/docs"
)

// ownCode is an entry of the codes of azbackupflow itself.
type ownCode struct {
	Codes             []string `json:"codes"`
	Meaning           string   `json:"meaning"`
	RecommendedAction string   `json:"recommendedAction,omitempty"`
}

// ownCodesStart precedes the tables of codes in docs/flows.md.
const ownCodesStart = "Codes of azbackupflow:"

var (
	codeCell = regexp.MustCompile("^(`[A-Z][A-Za-z]+`)(, `[A-Z][A-Za-z]+`)*$")
	// pageLink matches a link; its text remains.
	pageLink = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)
)

// ownCodes returns the codes of azbackupflow, from the tables of docs/flows.md.
func ownCodes() (all []ownCode) {
	_, page, _ := strings.Cut(docs.Flows(), ownCodesStart)
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) < 2 || !codeCell.MatchString(cells[0]) {
			continue
		}
		c := ownCode{Codes: strings.Split(strings.ReplaceAll(cells[0], "`", ""), ", "), Meaning: withoutMarkup(cells[1])}
		if len(cells) > 2 {
			c.RecommendedAction = withoutMarkup(cells[2])
		}
		all = append(all, c)
	}
	return all
}

func withoutMarkup(cell string) string {
	return strings.ReplaceAll(pageLink.ReplaceAllString(cell, "$1"), "`", "")
}
