package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// place is where the code says something.
type place struct {
	file string
	line int
}

// code is what the Go code and the functions' declarations say.
type code struct {
	// settings that the program or a binding reads; connections are those of
	// them that stand for several.
	settings, connections map[string]place
	// queues by the constants of package settings, bound those of bindings.
	queues, bound map[string]place
	// texts are all string literals, in which log lines are looked up.
	texts map[string]bool
	// vaultRoles are the built-in roles that package preflight expects.
	vaultRoles map[string]place
}

// onlyHere are settings that a deployment leaves out: the first makes waits
// shorter beside a simulator.
func onlyHere() []string { return []string{"AZBACKUPFLOW_SPEED_FACTOR"} }

// platform are settings of Azure's own that no local stack has.
func platform(name string) bool { return strings.HasPrefix(name, "APPLICATIONINSIGHTS_") }

// standard are settings that OpenTelemetry defines and that nobody must set.
func standard(name string) bool { return strings.HasPrefix(name, "OTEL_") }

// readCode reads the program and the functions' declarations.
func readCode(files fs.FS) (*code, error) {
	c := &code{
		settings: map[string]place{}, connections: map[string]place{}, queues: map[string]place{}, bound: map[string]place{},
		texts: map[string]bool{}, vaultRoles: map[string]place{},
	}
	for _, root := range []string{"internal", "functions"} {
		err := fs.WalkDir(files, root, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (name == "internal/local" || d.Name() == "testdata" || d.Name() == "node_modules"):
				return fs.SkipDir
			case path.Base(name) == "function.json":
				return c.function(files, name)
			case path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go"):
				return c.source(files, name)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read the code: %w", err)
		}
	}
	return c, nil
}

func (c *code) source(files fs.FS, name string) error {
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, raw, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	at := func(n ast.Node) place { return place{name, set.Position(n.Pos()).Line} }
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if n.Tag != nil {
				tag, _ := strconv.Unquote(n.Tag.Value)
				if setting, _, _ := strings.Cut(reflect.StructTag(tag).Get("env"), ","); setting != "" {
					c.settings[setting] = at(n)
				}
			}
		case *ast.ValueSpec:
			if path.Dir(name) != "internal/settings" {
				break
			}
			for i, v := range n.Values {
				text, ok := stringOf(v)
				switch {
				case ok && strings.HasSuffix(n.Names[i].Name, "Connection"):
					c.connections[text] = at(n)
				case ok && strings.HasSuffix(n.Names[i].Name, "Queue"):
					c.queues[text] = at(n)
				}
			}
		case *ast.BasicLit:
			if text, ok := stringOf(n); ok {
				c.texts[text] = true
				if path.Dir(name) == "internal/preflight" && builtIn()[text] != "" {
					c.vaultRoles[text] = at(n)
				}
			}
		}
		return true
	})
	return nil
}

func stringOf(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// function reads a function.json.
func (c *code) function(files fs.FS, name string) error {
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	var f struct {
		Bindings []struct{ QueueName, Connection string }
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, b := range f.Bindings {
		if b.Connection != "" {
			c.connections[b.Connection] = place{name, lineOf(raw, `"`+b.Connection+`"`)}
		}
		if b.QueueName != "" {
			c.bound[strings.TrimSuffix(b.QueueName, "/$DeadLetterQueue")] = place{name, lineOf(raw, `"`+b.QueueName+`"`)}
		}
	}
	for _, m := range regexp.MustCompile(`%(\w+)%`).FindAllStringSubmatch(string(raw), -1) {
		c.settings[m[1]] = place{name, lineOf(raw, m[0])}
	}
	return nil
}

// checkSettings: what the code reads is in the templates, and what is in either
// is in local.settings.sample.json.
func checkSettings(all map[string]*template, files fs.FS, c *code) ([]Finding, error) {
	const sampleFile = "local.settings.sample.json"
	raw, err := fs.ReadFile(files, sampleFile)
	if err != nil {
		return nil, err
	}
	var sample struct{ Values map[string]string }
	if err := json.Unmarshal(raw, &sample); err != nil {
		return nil, fmt.Errorf("%s: %w", sampleFile, err)
	}
	deployed, where := map[string]place{}, place{"infra/main.bicep", 1}
	for _, name := range sorted(all) {
		t := all[name]
		for _, r := range t.resources {
			if !strings.EqualFold(strings.Split(r.id, "@")[0], "Microsoft.Web/sites/config") || r.body == nil {
				continue
			}
			v := t.evaluate(r.body)
			if n, _ := v.get("name"); n.value.text != "appsettings" {
				continue
			}
			properties, _ := v.get("properties")
			where = place{name, properties.line}
			for _, p := range properties.value.props {
				deployed[p.name] = place{name, p.line}
			}
		}
	}
	var found []Finding
	wanted := map[string]place{}
	for _, name := range sorted(c.settings) {
		if !standard(name) {
			wanted[name] = c.settings[name]
		}
		if _, ok := deployed[name]; !ok && !standard(name) && !slices.Contains(onlyHere(), name) {
			found = append(found, Finding{where.file, where.line, fmt.Sprintf("the setting %s is missing, which %s:%d reads", name, c.settings[name].file, c.settings[name].line)})
		}
	}
	for _, name := range sorted(c.connections) {
		wanted[name] = c.connections[name]
		if !slices.ContainsFunc(sorted(deployed), func(s string) bool { return strings.HasPrefix(s, name+"__") }) {
			found = append(found, Finding{where.file, where.line, fmt.Sprintf("the settings %s__… are missing, which %s:%d reads", name, c.connections[name].file, c.connections[name].line)})
		}
	}
	for name, at := range deployed {
		if connection, _, ok := strings.Cut(name, "__"); ok {
			name = connection
		}
		if _, ok := wanted[name]; !ok && !platform(name) && !standard(name) {
			wanted[name] = at
		}
	}
	for _, name := range sorted(wanted) {
		if _, ok := sample.Values[name]; !ok {
			found = append(found, Finding{sampleFile, lineOf(raw, `"Values"`), fmt.Sprintf("the setting %s is missing, which %s:%d has", name, wanted[name].file, wanted[name].line)})
		}
	}
	return found, nil
}

// checkQueues: the queues of the templates are those of the code, and bindings
// name none else.
func checkQueues(all map[string]*template, c *code) []Finding {
	var found []Finding
	deployed := map[string]place{}
	where := place{"infra/main.bicep", 1}
	for _, name := range sorted(all) {
		t := all[name]
		for _, r := range t.resources {
			if strings.EqualFold(strings.Split(r.id, "@")[0], "Microsoft.ServiceBus/namespaces/queues") {
				where = place{name, r.line}
				for _, q := range queueNames(t, r) {
					deployed[q.text] = place{name, q.line}
				}
			}
		}
	}
	for _, from := range []map[string]place{c.queues, c.bound} {
		for _, q := range sorted(from) {
			if _, ok := deployed[q]; !ok {
				found = append(found, Finding{from[q].file, from[q].line, fmt.Sprintf("the queue %s is not deployed by %s:%d", q, where.file, where.line)})
			}
		}
	}
	for _, q := range sorted(deployed) {
		if _, ok := c.queues[q]; !ok {
			found = append(found, Finding{deployed[q].file, deployed[q].line, fmt.Sprintf("the queue %s is none of the app's", q)})
		}
	}
	return found
}

// queueNames are the names over which a resource is looped, or its one name.
func queueNames(t *template, r *resource) []value {
	if name, _ := t.evaluate(r.body).get("name"); name.value.known {
		return []value{name.value}
	}
	return looped(t, r)
}

// checkQueries: the log lines that alerts and the workbook look for are written
// by the code.
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
