package main

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// checkDocs reports values that docs/deploy.md does not explain, and alerts that
// docs/operating.md does not explain.
func checkDocs(all map[string]*template, files fs.FS, parameters []byte) ([]Finding, error) {
	deploy, err := fs.ReadFile(files, "docs/deploy.md")
	if err != nil {
		return nil, err
	}
	operating, err := fs.ReadFile(files, "docs/operating.md")
	if err != nil {
		return nil, err
	}
	var found []Finding
	for i, line := range strings.Split(string(parameters), "\n") {
		for _, m := range regexp.MustCompile(`\$\{(\w+)`).FindAllStringSubmatch(line, -1) {
			if !strings.Contains(string(deploy), "`"+m[1]+"`") {
				found = append(found, Finding{"infra/main.parameters.json", i + 1, fmt.Sprintf("docs/deploy.md does not explain %s", m[1])})
			}
		}
	}
	for _, name := range sorted(all) {
		for _, a := range alerts(all[name]) {
			if !strings.Contains(string(operating), "`"+a.text+"`") {
				found = append(found, Finding{name, a.line, fmt.Sprintf("docs/operating.md does not explain the alert %s", a.text)})
			}
		}
	}
	return found, nil
}

// alerts returns the names of a template's alert rules: the literal name, or, in a
// loop, the prefix and the key of each item.
func alerts(t *template) []value {
	var names []value
	for _, r := range t.resources {
		kind, _, _ := strings.Cut(strings.ToLower(r.id), "@")
		if kind != "microsoft.insights/metricalerts" && kind != "microsoft.insights/scheduledqueryrules" {
			continue
		}
		name, _ := t.evaluate(r.body).get("name")
		if name.value.known {
			names = append(names, value{text: name.value.text, line: name.line})
			continue
		}
		for _, item := range looped(t, r) {
			if key, ok := item.get("key"); ok {
				names = append(names, value{text: "azbackupflow-" + key.value.text, line: key.line})
			}
		}
	}
	return names
}
