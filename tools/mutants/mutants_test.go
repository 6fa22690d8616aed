package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// repository writes a module with one function and its test, and a list file.
func repository(t *testing.T, list string) options {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":          "module example.com/m\n\ngo 1.26\n",
		"p/limit.go":      "package p\n\nconst spare = 1\n\nfunc Above(n int) bool { return n > 3 }\n",
		"p/limit_test.go": "package p\n\nimport \"testing\"\n\nfunc TestAbove_Compares(t *testing.T) {\n\tif Above(2) || !Above(4) {\n\t\tt.Fatal()\n\t}\n}\n\nfunc TestSkip_Always(t *testing.T) { t.Skip() }\n",
		"list/p.yaml":     "package: p\nmutants:\n" + list,
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return options{root: root, list: filepath.Join(root, "list"), budget: time.Minute, workers: 2, testTimeout: 20 * time.Second, verbose: true, now: time.Now}
}

func mutantOf(breaks, find, replace string, more ...string) string {
	text := "  - file: limit.go\n    breaks: '" + breaks + "'\n    find: '" + find + "'\n    replace: '" + replace + "'\n"
	for _, line := range more {
		text += "    " + line + "\n"
	}
	return text
}

func TestRun_JudgesMutants(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		list string
		// want are parts of the report.
		want []string
		ok   bool
	}{
		"killed": {
			list: mutantOf("It is turned around.", "n > 3", "n < 3"), ok: true,
			want: []string{"killed     p/limit.go: It is turned around.", "p TestAbove_Compares", "1 killed, 0 survived (100.0 %"},
		},
		"killed by a hang": {
			list: mutantOf("It hangs.", "return n > 3", "for { _ = n }"), ok: true,
			want: []string{"killed     p/limit.go: It hangs.", "time limit"},
		},
		"survived": {
			list: mutantOf("The limit is one more.", "n > 3", "n >= 3") + mutantOf("It is turned around.", "n > 3", "n < 3"),
			want: []string{"survived   p/limit.go: The limit is one more.", "1 killed, 1 survived (50.0 %"},
		},
		"equivalent": {
			list: mutantOf("The constant is not read.", "spare = 1", "spare = 2", "equivalent: 'the constant has no effect'"), ok: true,
			want: []string{"equivalent", "the constant has no effect", "1 equivalent"},
		},
		"declared equivalent, but killed": {
			list: mutantOf("It is turned around.", "n > 3", "n < 3", "equivalent: 'wrong'"),
			want: []string{"declared equivalent, but killed by TestAbove_Compares", "1 wrong"},
		},
		"known to survive": {
			list: mutantOf("The limit is one more.", "n > 3", "n >= 3", "survives: 'the limit itself'") +
				mutantOf("It is turned around.", "n > 3", "n < 3"),
			want: []string{"survived   p/limit.go: The limit is one more.", "a test is missing: the limit itself", "1 survived (50.0 %"},
		},
		"declared to survive, but killed": {
			list: mutantOf("It is turned around.", "n > 3", "n < 3", "survives: 'x'"),
			want: []string{"declared to survive, but killed by TestAbove_Compares", "1 wrong"},
		},
		"does not compile": {
			list: mutantOf("It does not compile.", "n > 3", "n >"),
			want: []string{"wrong", "does not compile", "1 wrong"},
		},
		"stale": {
			list: mutantOf("The rule is gone.", "n > 4", "n < 4") + mutantOf("It is turned around.", "n > 3", "n < 3"),
			want: []string{"stale      p/limit.go: The rule is gone.", "does not occur in the file", "tools/mutants/list/p.yaml", "1 killed", "1 stale"},
		},
		"stale because it is ambiguous": {
			list: mutantOf("Which one.", "n", "m"),
			want: []string{"times in the file; make it longer", "1 stale"},
		},
		"no test has the name": {
			list: mutantOf("It is turned around.", "n > 3", "n < 3", "run: 'TestNothing'"),
			want: []string{"no test of p has a name", "1 wrong"},
		},
		"the tests skip themselves": {
			list: mutantOf("It is turned around.", "n > 3", "n < 3", "run: 'TestSkip'"),
			want: []string{"skip themselves", "1 wrong"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := repository(t, c.list)
			if strings.Contains(name, "hang") {
				o.testTimeout = 2 * time.Second
			}
			before := contents(t, o.root)
			var out bytes.Buffer
			err := run(t.Context(), o, &out)
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is missing in:\n%s", want, &out)
				}
			}
			if c.ok != (err == nil) || err != nil && !errors.Is(err, errFailed) {
				t.Errorf("error %v in:\n%s", err, &out)
			}
			if contents(t, o.root) != before {
				t.Error("the repository has changed")
			}
		})
	}
}

func contents(t *testing.T, root string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all.WriteString(path + "\n" + string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestRun_FailsIfTheTestsFailWithoutMutant(t *testing.T) {
	t.Parallel()
	o := repository(t, mutantOf("It is turned around.", "n > 3", "n < 3"))
	path := filepath.Join(o.root, "p", "limit_test.go")
	if err := os.WriteFile(path, []byte("package p\n\nimport \"testing\"\n\nfunc TestAbove_Fails(t *testing.T) { t.Fatal() }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), o, &out); !errors.Is(err, errFailed) || !strings.Contains(out.String(), "fail without the mutant: TestAbove_Fails") {
		t.Errorf("error %v in:\n%s", err, &out)
	}
}

func TestRun_StopsWhenTheBudgetHasPassed(t *testing.T) {
	t.Parallel()
	o := repository(t, mutantOf("It is turned around.", "n > 3", "n < 3"))
	o.budget = time.Nanosecond
	var out bytes.Buffer
	if err := run(t.Context(), o, &out); !errors.Is(err, errFailed) || !strings.Contains(out.String(), "1 not run") {
		t.Errorf("a run that judged nothing passes: error %v in:\n%s", err, &out)
	}
}

func TestReport_AcceptsASampleThatWasCut(t *testing.T) {
	t.Parallel()
	for complete, ok := range map[bool]bool{false: true, true: false} {
		r := runner{out: &bytes.Buffer{}, results: []result{{outcome: killed}, {outcome: notRun}}}
		if err := r.report(2, nil, complete); ok != (err == nil) {
			t.Errorf("complete %v: error %v", complete, err)
		}
	}
}

func TestReport_NeedsAShareOfKilledMutants(t *testing.T) {
	t.Parallel()
	for kills, ok := range map[int]bool{19: true, 18: false} {
		r := runner{out: &bytes.Buffer{}, results: []result{{outcome: survived, mutant: mutant{Survives: "x"}}}}
		for range kills {
			r.results = append(r.results, result{outcome: killed})
		}
		if err := r.report(len(r.results), nil, true); ok != (err == nil) {
			t.Errorf("%d of %d killed: error %v", kills, len(r.results), err)
		}
	}
}

// Of 40 mutants of a sample two may survive, of 12 one.
func TestReport_AcceptsFewSurvivorsOfASample(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		killed, survived int
		ok               bool
	}{{38, 2, true}, {37, 3, false}, {11, 1, true}, {10, 2, false}, {40, 0, true}} {
		r := runner{out: &bytes.Buffer{}}
		for range x.killed {
			r.results = append(r.results, result{outcome: killed})
		}
		for range x.survived {
			r.results = append(r.results, result{outcome: survived})
		}
		if err := r.report(len(r.results), nil, false); x.ok != (err == nil) {
			t.Errorf("%+v: error %v", x, err)
		}
		if err := r.report(len(r.results), nil, true); (x.survived == 0) != (err == nil) {
			t.Errorf("%+v, all of them: error %v", x, err)
		}
	}
}

func TestReadList_RejectsInvalidFiles(t *testing.T) {
	t.Parallel()
	for want, list := range map[string]string{
		"file, breaks and find are required": "  - file: limit.go\n    find: 'x'\n",
		"find and replace are equal":         mutantOf("Nothing.", "n > 3", "n > 3"),
		"two mutants are named":              mutantOf("Twice.", "n > 3", "n < 3") + mutantOf("Twice.", "n > 3", "n < 4"),
		"field finds not found":              mutantOf("Unknown field.", "n > 3", "n < 3", "finds: 'x'"),
		"equivalent and survives":            mutantOf("Both.", "n > 3", "n < 3", "equivalent: 'x'", "survives: 'x'"),
		"run: error parsing regexp":          mutantOf("Pattern.", "n > 3", "n < 3", "run: '('"),
	} {
		o := repository(t, list)
		if err := run(t.Context(), o, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
}

func TestChoose_SamplesByCommit(t *testing.T) {
	t.Parallel()
	var all []mutant
	for _, text := range strings.Fields("a b c d e f g h i j k l m n o p q r s t u v w x y z") {
		all = append(all, mutant{Find: text, path: text}, mutant{Find: text, path: text, Slow: true}, mutant{Find: text, path: text, Equivalent: "yes"}, mutant{Find: text, path: text, Survives: "yes"})
	}
	names := func(commit string) string {
		text := ""
		for _, m := range choose(all, regexp.MustCompile(""), 8, commit) {
			if m.Slow || m.Equivalent != "" || m.Survives != "" {
				t.Errorf("%s is in the sample", m.Find)
			}
			text += m.Find
		}
		return text
	}
	if first := names("one"); len(first) != 8 || first != names("one") || first == names("two") {
		t.Errorf("samples %q, %q and %q", first, names("one"), names("two"))
	}
	if n := len(choose(all, regexp.MustCompile("^a"), 0, "")); n != 4 {
		t.Errorf("without a sample, %d of 4 mutants are chosen", n)
	}
}

// A change of the code that makes a mutant stale shows here, without running it.
func TestList_AppliesToTheCode(t *testing.T) {
	t.Parallel()
	all, err := readList("list")
	if err != nil {
		t.Fatal(err)
	}
	_, stale, err := apply(filepath.Join("..", ".."), all)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stale {
		t.Error(s)
	}
	if n := len(all); n < 200 {
		t.Errorf("the list has %d mutants; keep at least 200", n)
	}
}

func TestDo_EndsWithTheContext(t *testing.T) {
	t.Parallel()
	o := repository(t, mutantOf("It is turned around.", "n > 3", "n < 3"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v, _, err := testRun{root: o.root, pkg: "p", timeout: time.Minute, jobs: 1}.do(ctx)
	if err != nil || v != unfinished {
		t.Errorf("got %s, error %v", v, err)
	}
}
