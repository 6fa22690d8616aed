package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

const maxTestName = 80

var (
	testName  = regexp.MustCompile(`^Test[A-Z][A-Za-z0-9]*_[A-Z][A-Za-z0-9]*$`)
	otherName = regexp.MustCompile(`^(Fuzz|Benchmark)[A-Z][A-Za-z0-9]*(_[A-Z][A-Za-z0-9]*)?$`)
	isTest    = regexp.MustCompile(`^(Test|Fuzz|Benchmark)`)
)

// checkTestNames returns a complaint for each test below the paths that is not
// named TestSubject_Behaviour, or whose name is longer than 80 characters.
func checkTestNames(paths []string) ([]string, error) {
	files, err := proseFiles(paths)
	if err != nil {
		return nil, err
	}
	var complaints []string
	for _, path := range files {
		if !strings.HasSuffix(path, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", path, err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !isTest.MatchString(f.Name.Name) || f.Name.Name == "TestMain" {
				continue
			}
			if problem := checkTestName(f.Name.Name); problem != "" {
				complaints = append(complaints, fmt.Sprintf("%s:%d: %s", path, set.Position(f.Pos()).Line, problem))
			}
		}
	}
	return complaints, nil
}

func checkTestName(name string) string {
	switch {
	case len(name) > maxTestName:
		return fmt.Sprintf("%s has %d characters; use at most %d", name, len(name), maxTestName)
	case testName.MatchString(name) || otherName.MatchString(name):
		return ""
	default:
		return name + "; name it TestSubject_Behaviour"
	}
}
