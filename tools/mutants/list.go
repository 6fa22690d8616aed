package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// listFile is one file of the list: the mutants of one package.
type listFile struct {
	// Package is the folder of the package, below the root of the repository.
	Package string `yaml:"package"`
	// Tests are the packages whose tests must fail. The default is Package. Run
	// selects their tests by a regular expression; empty selects all.
	Tests   []string `yaml:"tests"`
	Run     string   `yaml:"run"`
	Mutants []mutant `yaml:"mutants"`
}

// mutant is one change of the code that breaks a rule.
type mutant struct {
	// File is the name of the file in the package.
	File string `yaml:"file"`
	// Breaks describes the fault.
	Breaks string `yaml:"breaks"`
	// Find is the text to replace. It occurs in the file exactly once.
	Find    string `yaml:"find"`
	Replace string `yaml:"replace"`
	// Tests and Run replace those of the list file. Both are optional.
	Tests []string `yaml:"tests"`
	Run   string   `yaml:"run"`
	// Slow runs the tests that skip themselves under -short, too. It keeps the
	// mutant out of samples.
	Slow bool `yaml:"slow"`
	// Equivalent is the reason why the mutant changes no behaviour. Empty means
	// that it does.
	Equivalent string `yaml:"equivalent"`
	// Survives describes the test that is missing. Such a mutant counts as a
	// survivor, and is not in samples.
	Survives string `yaml:"survives"`

	// path is the file below the root, list the file that declares the mutant.
	path, list string
	// code is the changed content of the file.
	code []byte
}

func (m mutant) String() string { return m.path + ": " + m.Breaks }

// readList reads all list files of a folder.
func readList(folder string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, file := range files {
		mutants, err := readFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, mutants...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no mutants in %s", folder)
	}
	names := map[string]bool{}
	for _, m := range all {
		if names[m.String()] {
			return nil, fmt.Errorf("%s: two mutants are named %q; give each its own text in breaks", m.list, m)
		}
		names[m.String()] = true
	}
	return all, nil
}

func readFile(file string) ([]mutant, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var f listFile
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	if f.Package == "" {
		return nil, errors.New("package is missing; name the folder, such as internal/engine")
	}
	if len(f.Tests) == 0 {
		f.Tests = []string{f.Package}
	}
	for i := range f.Mutants {
		m := &f.Mutants[i]
		m.path, m.list = path.Join(f.Package, m.File), filepath.Base(file)
		if len(m.Tests) == 0 {
			m.Tests = f.Tests
		}
		m.Run = cmp.Or(m.Run, f.Run)
		switch {
		case m.File == "" || m.Breaks == "" || m.Find == "":
			return nil, fmt.Errorf("mutant %d: file, breaks and find are required", i+1)
		case m.Equivalent != "" && m.Survives != "":
			return nil, fmt.Errorf("mutant %d: equivalent and survives are both set; set one", i+1)
		case m.Find == m.Replace:
			return nil, fmt.Errorf("mutant %d: find and replace are equal; replace must change the code", i+1)
		}
		if _, err := regexp.Compile(m.Run); err != nil {
			return nil, fmt.Errorf("mutant %d: run: %w", i+1, err)
		}
	}
	return f.Mutants, nil
}

// staleMutant is a mutant that does not apply to the code.
type staleMutant struct {
	mutant
	problem string
}

func (s staleMutant) String() string {
	return fmt.Sprintf("stale      %s\n          %s. Find the code that enforces this rule now and correct `find` and `replace`"+
		"\n          in tools/mutants/list/%s. If the rule is gone, delete the mutant. find: %q", s.mutant, s.problem, s.list, s.Find)
}

// apply changes the code of each mutant, and returns those that do not apply.
func apply(root string, all []mutant) (fresh []mutant, stale []staleMutant, err error) {
	for _, m := range all {
		code, err := os.ReadFile(filepath.Join(root, m.path))
		if errors.Is(err, os.ErrNotExist) {
			stale = append(stale, staleMutant{m, "The file does not exist"})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		switch n := bytes.Count(code, []byte(m.Find)); n {
		case 0:
			stale = append(stale, staleMutant{m, "The text does not occur in the file"})
		case 1:
			m.code = bytes.Replace(code, []byte(m.Find), []byte(m.Replace), 1)
			fresh = append(fresh, m)
		default:
			stale = append(stale, staleMutant{m, fmt.Sprintf("The text occurs %d times in the file; make it longer", n)})
		}
	}
	return fresh, stale, nil
}

// choose returns the mutants that match. If sample is not zero, it returns as
// many of the quick ones that are not equivalent, chosen by the commit.
func choose(all []mutant, match *regexp.Regexp, sample int, commit string) []mutant {
	var chosen []mutant
	for _, m := range all {
		if match.MatchString(m.String()) && (sample == 0 || !m.Slow && m.Equivalent == "" && m.Survives == "") {
			chosen = append(chosen, m)
		}
	}
	if sample == 0 {
		return chosen
	}
	rank := func(m mutant) string {
		sum := sha256.Sum256([]byte(strings.Join([]string{commit, m.path, m.Find, m.Replace}, "\n")))
		return string(sum[:])
	}
	slices.SortFunc(chosen, func(a, b mutant) int { return cmp.Compare(rank(a), rank(b)) })
	return chosen[:min(sample, len(chosen))]
}
