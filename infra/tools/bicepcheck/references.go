package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// checkNames reports undeclared names, unknown functions, and unused parameters and
// variables.
func checkNames(t *template) []Finding {
	var found []Finding
	var visit func(n *node, loops []string)
	visit = func(n *node, loops []string) {
		switch n.kind {
		case "for_statement":
			loops = append(slices.Clone(loops), loopNames(n)...)
		case "call_expression":
			f := n.named("function")
			if f != nil && f.kind == "identifier" {
				if _, ok := results()[f.text]; !ok {
					found = append(found, Finding{t.file, f.line, fmt.Sprintf("%s is not a known function; add it to results()", f.text)})
				}
			}
		}
		for i, c := range n.kids {
			switch {
			case c.kind == "type" || c.kind == "array_type" || c.kind == "decorators" || c.kind == "loop_variable" || c.kind == "loop_enumerator" || c.kind == "for_loop_parameters":
			case c.field == "function" && c.kind == "identifier", c.field == "initializer":
			case declares(n.kind) && c.kind == "identifier" && i == nameAt(n):
			case n.kind == "object_property" && i == 0 && (c.kind == "identifier" || c.kind == "compatible_identifier"):
			case c.kind == "identifier" || c.kind == "compatible_identifier" && len(c.kids) == 0:
				if d, ok := t.names[c.text]; ok {
					d.used = true
				} else if !slices.Contains(loops, c.text) {
					found = append(found, Finding{t.file, c.line, fmt.Sprintf("%s is not declared", c.text)})
				}
			default:
				visit(c, loops)
			}
		}
	}
	visit(t.root, nil)
	for _, name := range sorted(t.names) {
		if d := t.names[name]; !d.used && (d.what == "param" || d.what == "var") {
			found = append(found, Finding{t.file, d.line, fmt.Sprintf("%s %s is never used", map[string]string{"param": "parameter", "var": "variable"}[d.what], d.name)})
		}
	}
	return found
}

func declares(kind string) bool { return strings.HasSuffix(kind, "_declaration") }

// nameAt returns the index of the declared name among the children.
func nameAt(n *node) int {
	return slices.IndexFunc(n.kids, func(c *node) bool { return c.kind == "identifier" })
}

// loopNames returns the names of a loop's item and index.
func loopNames(n *node) []string {
	var names []string
	n.walk(func(c *node) {
		if c.kind == "loop_variable" || c.kind == "loop_enumerator" {
			names = append(names, c.text)
		}
	})
	if i := n.named("initializer"); i != nil {
		names = append(names, i.text)
	}
	return names
}

// checkModules reports modules that do not exist, and parameters and outputs that a
// module does not have.
func checkModules(t *template, all map[string]*template) []Finding {
	var found []Finding
	report := func(line int, format string, args ...any) {
		found = append(found, Finding{t.file, line, fmt.Sprintf(format, args...)})
	}
	uses := map[string]*template{}
	for _, m := range t.modules {
		target, ok := all[path.Join(path.Dir(t.file), m.path)]
		if !ok {
			report(m.line, "the module %s does not exist", m.path)
			continue
		}
		uses[m.name] = target
		if m.body == nil {
			continue
		}
		v := t.evaluate(m.body)
		params, _ := v.get("params")
		for _, p := range params.value.props {
			d, ok := target.names[p.name]
			if !ok || d.what != "param" {
				report(p.line, "%s has no parameter %s", m.path, p.name)
				continue
			}
			if got, want := p.value.kind, kinds(d.kind); got != unknown && want != unknown && got != want && got != null {
				report(p.value.line, "%s is of type %s, but %s requires %s", p.name, got, m.path, want)
			}
		}
		for _, name := range sorted(target.names) {
			if _, given := params.value.get(name); target.names[name].what == "param" && !target.names[name].optional() && !given {
				report(m.line, "%s requires the parameter %s", m.path, name)
			}
		}
	}
	t.root.walk(func(n *node) {
		if n.kind != "member_expression" || n.kids[0].kind != "member_expression" || !strings.HasSuffix(n.kids[0].text, ".outputs") {
			return
		}
		name := strings.TrimSuffix(n.kids[0].text, ".outputs")
		if target, ok := uses[name]; ok && target.names["output "+n.last().text] == nil {
			report(n.line, "%s has no output %s", target.file, n.last().text)
		}
	})
	return found
}

// checkFiles reports loaded files that do not exist or are not JSON, and keys that do
// not exist in them.
func checkFiles(t *template, files fs.FS) []Finding {
	var found []Finding
	report := func(line int, format string, args ...any) {
		found = append(found, Finding{t.file, line, fmt.Sprintf(format, args...)})
	}
	loaded := map[string]map[string]any{}
	t.root.walk(func(n *node) {
		f := n.named("function")
		if n.kind != "call_expression" || f == nil || !strings.HasPrefix(f.text, "load") {
			return
		}
		name, ok := n.named("arguments").child("string").literal()
		if !ok {
			return
		}
		raw, err := fs.ReadFile(files, path.Join(path.Dir(t.file), name))
		if err != nil {
			report(n.line, "the file %s does not exist", name)
			return
		}
		var keys map[string]any
		if f.text == "loadJsonContent" && json.Unmarshal(raw, &keys) != nil {
			report(n.line, "the file %s is not a JSON object", name)
		}
		for _, d := range t.names {
			if d.what == "var" && d.value == n {
				loaded[d.name] = keys
			}
		}
	})
	t.root.walk(func(n *node) {
		if n.kind != "member_expression" || n.kids[0].kind != "identifier" {
			return
		}
		if keys, ok := loaded[n.kids[0].text]; ok && keys != nil {
			if _, ok := keys[n.last().text]; !ok {
				report(n.line, "%s has no %s", n.kids[0].text, n.last().text)
			}
		}
	})
	return found
}

// checkParameters compares a parameter file with its template.
func checkParameters(file string, raw []byte, t *template) ([]Finding, error) {
	var given struct{ Parameters map[string]any }
	if err := json.Unmarshal(raw, &given); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var found []Finding
	for _, name := range sorted(given.Parameters) {
		if d, ok := t.names[name]; !ok || d.what != "param" {
			found = append(found, Finding{file, lineOf(raw, `"`+name+`"`), fmt.Sprintf("%s has no parameter %s", t.file, name)})
		}
	}
	for _, name := range sorted(t.names) {
		if d := t.names[name]; d.what == "param" && !d.optional() && given.Parameters[name] == nil {
			found = append(found, Finding{file, 1, fmt.Sprintf("%s requires the parameter %s", t.file, name)})
		}
	}
	return found, nil
}

// lineOf returns the line of the first occurrence of a text, or 1.
func lineOf(raw []byte, text string) int {
	before, _, ok := strings.Cut(string(raw), text)
	if !ok {
		return 1
	}
	return strings.Count(before, "\n") + 1
}
