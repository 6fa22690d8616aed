package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// Finding is a problem and its position. Lines count from 1.
type Finding struct {
	File string
	Line int
	Text string
}

func (f Finding) String() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text) }

// check checks a repository.
func check(files fs.FS, types *catalog) ([]Finding, error) {
	all, found, err := templates(files)
	if err != nil {
		return nil, err
	}
	for _, name := range sorted(all) {
		t := all[name]
		more, err := checkResources(t, types)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		found = slices.Concat(found, more, checkNames(t), checkModules(t, all), checkFiles(t, files), checkRequirements(t), checkSecrets(t), checkScopes(t), checkWarnings(t))
	}
	const parameters = "infra/main.parameters.json"
	raw, err := fs.ReadFile(files, parameters)
	if err != nil {
		return nil, err
	}
	if main, ok := all["infra/main.bicep"]; ok {
		more, err := checkParameters(parameters, raw, main)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	c, err := readCode(files)
	if err != nil {
		return nil, err
	}
	settings, err := checkSettings(all, files, c)
	if err != nil {
		return nil, err
	}
	queries, err := checkQueries(files, c)
	if err != nil {
		return nil, err
	}
	docs, err := checkDocs(all, files, raw)
	if err != nil {
		return nil, err
	}
	hooks, err := checkHooks(all, files)
	if err != nil {
		return nil, err
	}
	found = slices.Concat(found, settings, checkQueues(all, c), checkVaultRoles(all, c), checkOptionalRoles(all), queries, docs, hooks)
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return found, nil
}

// templates reads every template below infra/. Syntax errors are findings.
func templates(files fs.FS) (map[string]*template, []Finding, error) {
	all := map[string]*template{}
	var found []Finding
	err := fs.WalkDir(files, "infra", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".bicep" {
			return err
		}
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		root, broken, err := parse(name, raw)
		if err != nil {
			return err
		}
		found = append(found, broken...)
		// Other findings in a template with syntax errors would be misleading.
		if len(broken) == 0 {
			all[name] = read(name, root)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the templates: %w", err)
	}
	return all, found, nil
}
