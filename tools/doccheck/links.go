package main

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	inlineLink = regexp.MustCompile(`\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)`)
	codeSpan   = regexp.MustCompile("`[^`]*`")
	makeUse    = regexp.MustCompile("(?:^|`|\\$ )make ([a-z][a-z-]*)")
	makeTarget = regexp.MustCompile(`(?m)^([a-z][a-z-]*):([^=]|$)`)
	heading    = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	notInSlug  = regexp.MustCompile(`[^\p{L}\p{N}\p{M}_\- ]`)
)

// skipped are folders whose Markdown is not ours.
var skipped = []string{".git", "node_modules", "dist", "bin", ".local", ".cache"}

// checkLinks returns the complaints about all Markdown below root, in the order
// of the files.
func checkLinks(root string) ([]string, error) {
	targets, err := makeTargets(filepath.Join(root, "Makefile"))
	if err != nil {
		return nil, err
	}
	var complaints []string
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(skipped, entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		found, err := checkFile(root, path, targets)
		complaints = append(complaints, found...)
		return err
	})
	return complaints, err
}

func makeTargets(makefile string) ([]string, error) {
	data, err := os.ReadFile(makefile)
	if err != nil {
		return nil, fmt.Errorf("read the make targets: %w", err)
	}
	var targets []string
	for _, m := range makeTarget.FindAllStringSubmatch(string(data), -1) {
		targets = append(targets, m[1])
	}
	return targets, nil
}

func checkFile(root, path string, targets []string) ([]string, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		return nil, err
	}
	var complaints []string
	complain := func(line int, format string, args ...any) {
		complaints = append(complaints, fmt.Sprintf("%s:%d: ", filepath.ToSlash(name), line+1)+fmt.Sprintf(format, args...))
	}
	inCode := false
	for i, line := range lines {
		fence := isFence(line)
		if fence {
			inCode = !inCode
		}
		if inCode || strings.Contains(line, "`") {
			for _, m := range makeUse.FindAllStringSubmatch(line, -1) {
				if !slices.Contains(targets, m[1]) {
					complain(i, "the Makefile has no target %s", m[1])
				}
			}
		}
		if inCode || fence {
			continue
		}
		for _, m := range inlineLink.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
			if problem := checkLink(path, m[1]); problem != "" {
				complain(i, "%s", problem)
			}
		}
	}
	return complaints, nil
}

// checkLink returns the problem with a link of the file at path, or "".
// Links that leave the repository are not followed.
func checkLink(path, link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return fmt.Sprintf("the link %s cannot be read", link)
	}
	if u.Scheme != "" || u.Host != "" {
		return ""
	}
	target := path
	if u.Path != "" {
		target = filepath.Join(filepath.Dir(path), filepath.FromSlash(u.Path))
	}
	if _, err := os.Stat(target); err != nil {
		return fmt.Sprintf("the link %s leads nowhere", link)
	}
	if u.Fragment == "" || filepath.Ext(target) != ".md" {
		return ""
	}
	lines, err := readLines(target)
	if err != nil {
		return fmt.Sprintf("the link %s cannot be followed: %v", link, err)
	}
	if !slices.Contains(anchors(lines), u.Fragment) {
		return fmt.Sprintf("the link %s names no heading", link)
	}
	return ""
}

// anchors are the names that GitHub gives to the headings.
func anchors(lines []string) []string {
	var found []string
	inCode := false
	for _, line := range lines {
		if isFence(line) {
			inCode = !inCode
		}
		m := heading.FindStringSubmatch(line)
		if inCode || m == nil {
			continue
		}
		slug := strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")
		name := slug
		for n := 1; slices.Contains(found, name); n++ {
			name = fmt.Sprintf("%s-%d", slug, n)
		}
		found = append(found, name)
	}
	return found
}

func isFence(line string) bool {
	trimmed := strings.TrimSpace(line)
	return strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~")
}

func readLines(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n"), nil
}
