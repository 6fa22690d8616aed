package main

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// checkHooks reports scripts in azure.yaml that do not exist, and parameters that
// scripts pass although the template does not have them, or do not pass although the
// template requires them.
func checkHooks(all map[string]*template, files fs.FS) ([]Finding, error) {
	const project = "azure.yaml"
	raw, err := fs.ReadFile(files, project)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for i, line := range strings.Split(string(raw), "\n") {
		for _, script := range regexp.MustCompile(`infra/[\w./-]+\.(?:sh|ps1)`).FindAllString(line, -1) {
			if _, err := fs.Stat(files, script); err != nil {
				found = append(found, Finding{project, i + 1, fmt.Sprintf("the script %s does not exist", script)})
			}
		}
	}
	err = fs.WalkDir(files, "infra/hooks", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		script, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		found = append(found, checkScript(name, string(script), all)...)
		return nil
	})
	return found, err
}

func checkScript(name, script string, all map[string]*template) []Finding {
	var found []Finding
	report := func(line int, format string, args ...any) {
		found = append(found, Finding{name, line, fmt.Sprintf(format, args...)})
	}
	var t *template
	var at int
	given := map[string]bool{}
	for i, line := range strings.Split(script, "\n") {
		if m := regexp.MustCompile(`--template-file\s+(\S+)`).FindStringSubmatch(line); m != nil {
			at = i + 1
			if t = all[path.Clean(m[1])]; t == nil {
				report(at, "the template %s does not exist", m[1])
			}
		}
		m := regexp.MustCompile(`^  (\w+)=["$]`).FindStringSubmatch(line)
		if m == nil || t == nil {
			continue
		}
		given[m[1]] = true
		if d, ok := t.names[m[1]]; !ok || d.what != "param" {
			report(i+1, "%s has no parameter %s", t.file, m[1])
		}
	}
	if t == nil {
		return found
	}
	for _, p := range sorted(t.names) {
		if d := t.names[p]; d.what == "param" && !d.optional() && !given[p] {
			report(at, "%s requires the parameter %s", t.file, p)
		}
	}
	return found
}
