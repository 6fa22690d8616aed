package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	recordName  = regexp.MustCompile(`^(\d{4})-[a-z0-9-]+\.md$`)
	recordTitle = regexp.MustCompile(`^# (\d+)\. (.+)$`)
	recordDate  = regexp.MustCompile(`^Date: (\d{4}-\d{2}-\d{2})$`)
)

// recordParts are the headings of an architecture decision record, in order.
var recordParts = []string{"## Context", "## Decision", "## Consequences"}

// checkRecords returns the complaints about the architecture decision records
// below root: their shape, and the list of them in README.md.
func checkRecords(root string) ([]string, error) {
	dir := filepath.Join(root, "docs", "adr")
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("list the decision records: %w", err)
	}
	var complaints, rows []string
	for _, entry := range entries {
		m := recordName.FindStringSubmatch(entry.Name())
		if m == nil {
			continue
		}
		lines, err := readLines(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		row, problem := checkRecord(entry.Name(), strings.TrimLeft(m[1], "0"), lines)
		if problem != "" {
			complaints = append(complaints, fmt.Sprintf("docs/adr/%s: %s", entry.Name(), problem))
		}
		rows = append(rows, row)
	}
	index, err := readLines(filepath.Join(dir, "README.md"))
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if row != "" && !slices.Contains(index, row) {
			complaints = append(complaints, fmt.Sprintf("docs/adr/README.md: the list lacks %s", row))
		}
	}
	return complaints, nil
}

// checkRecord returns a record's row in the list, and the first problem with its
// shape.
func checkRecord(file, number string, lines []string) (row, problem string) {
	title := recordTitle.FindStringSubmatch(lines[0])
	if title == nil || title[1] != number {
		return "", fmt.Sprintf("the first line must be \"# %s. Title\"", number)
	}
	if len(lines) < 5 || !strings.HasPrefix(lines[2], `Status: `) || !strings.HasSuffix(lines[2], `\`) {
		return "", `the third line must be "Status: accepted\" or "Status: replaced by ADR n\"`
	}
	date := recordDate.FindStringSubmatch(lines[3])
	if date == nil {
		return "", `the fourth line must be "Date: YYYY-MM-DD"`
	}
	var parts []string
	for _, line := range lines {
		if strings.HasPrefix(line, "## ") {
			parts = append(parts, line)
		}
	}
	if !slices.Equal(parts, recordParts) {
		problem = fmt.Sprintf("the headings must be %s", strings.Join(recordParts, ", "))
	}
	return fmt.Sprintf("| [%s](%s) | %s | %s |", number, file, title[2], date[1]), problem
}
