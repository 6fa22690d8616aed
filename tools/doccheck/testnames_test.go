package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTestNames_HaveOneShape(t *testing.T) {
	t.Parallel()
	long := "TestSubject_" + strings.Repeat("A", 69)
	path := filepath.Join(t.TempDir(), "x_test.go")
	body := "package x\n\nfunc TestMain() {}\n\ntype t struct{}\n\nfunc (t) TestMethod() {}\n\nfunc helper() {}\n\n" +
		"func TestSubject_Behaviour2() {}\nfunc FuzzX() {}\nfunc FuzzX_Y() {}\nfunc BenchmarkX() {}\n" + // line 14
		"func TestSubject() {}\nfunc TestA_thing_works() {}\nfunc Test_X() {}\nfunc FuzzX_whatever() {}\nfunc " + long + "() {}\n"
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := checkTestNames([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		path + ":15: TestSubject; name it TestSubject_Behaviour",
		path + ":16: TestA_thing_works; name it TestSubject_Behaviour",
		path + ":17: Test_X; name it TestSubject_Behaviour",
		path + ":18: FuzzX_whatever; name it TestSubject_Behaviour",
		path + ":19: " + long + " has 81 characters; use at most 80",
	}
	if !slices.Equal(want, got) {
		t.Errorf("got %q, want %q", got, want)
	}
}
