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
	"strconv"
	"strings"
)

// place is a position in a file.
type place struct {
	file string
	line int
}

// code holds facts from the Go code and from the functions' function.json files.
type code struct {
	// settings are the settings that the program or a binding reads. connections
	// are those that consist of several settings with a common prefix.
	settings, connections map[string]place
	// queues are the queues of package settings, bound those of bindings.
	queues, bound map[string]place
	// texts holds all string literals, log messages among them.
	texts map[string]bool
	// vaultRoles are the built-in roles that package preflight expects.
	vaultRoles map[string]place
}

// readCode reads the Go code and the function.json files.
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
