package main

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// checkQueries reports log messages that alerts and the workbook search for although
// the code does not log them.
func checkQueries(files fs.FS, c *code) ([]Finding, error) {
	var found []Finding
	wanted := regexp.MustCompile(`m\.msg == \\?"([^"\\]*)\\?"`)
	err := fs.WalkDir(files, "infra", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "tools" {
			return fs.SkipDir
		}
		if ext := path.Ext(name); ext != ".bicep" && ext != ".json" {
			return nil
		}
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(raw), "\n") {
			for _, m := range wanted.FindAllStringSubmatch(line, -1) {
				if !c.texts[m[1]] {
					found = append(found, Finding{name, i + 1, fmt.Sprintf("nothing logs %q", m[1])})
				}
			}
		}
		return nil
	})
	return found, err
}
