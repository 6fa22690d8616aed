package flow_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// flowsPage returns docs/flows.md.
func flowsPage(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "flows.md"))
	require.NoError(t, err)
	return string(raw)
}

// section returns the text below a flow's heading up to the next heading; empty
// if the page has no such heading.
func section(page, name string) string {
	_, after, _ := strings.Cut(page, "\n## "+name+"\n")
	text, _, _ := strings.Cut(after, "\n## ")
	return text
}

func TestDocs_ShowValidRequests(t *testing.T) {
	t.Parallel()
	page := flowsPage(t)
	blocks := regexp.MustCompile("(?s)```json request\n(.*?)```").FindAllStringSubmatch(page, -1)
	b := registry(t, morning())
	shown := map[string]int{}
	for _, block := range blocks {
		r, err := request.Read([]byte(block[1]))
		require.NoError(t, err, block[1])
		f, ok := b.Newest(r.Flow)
		require.True(t, ok, r.Flow)
		_, err = f.Check(r.Parameters)
		require.NoError(t, err, block[1])
		require.Contains(t, section(page, r.Flow), block[1], "shown at another flow")
		shown[r.Flow]++
	}
	for _, name := range b.Names() {
		require.Positive(t, shown[name], "docs/flows.md shows no request of %s", name)
	}
	require.Len(t, blocks, strings.Count(page, "```json"), "a block of JSON that is not a request is not checked")
}

func TestDocs_ExplainEveryStepAndParameter(t *testing.T) {
	t.Parallel()
	page := flowsPage(t)
	b := registry(t, morning())
	var missing []string
	for _, name := range b.Names() {
		f, _ := b.Newest(name)
		text := section(page, name)
		parameters := parametersOf(t, f, "")
		require.NotEmpty(t, parameters)
		for _, p := range parameters {
			if !strings.Contains(text, "| `"+p+"` |") {
				missing = append(missing, name+", parameter "+p)
			}
		}
		for _, s := range f.Steps {
			if !strings.Contains(page, "| `"+s.Name+"` |") {
				missing = append(missing, name+", step "+s.Name)
			}
		}
	}
	require.Empty(t, missing, "docs/flows.md does not explain them")
}

// parametersOf returns a flow's parameters as its own rejections name them,
// those of nested objects as object.name.
func parametersOf(t *testing.T, f step.Flow, path string) (all []string) {
	t.Helper()
	const unknown = "no such parameter"
	nest := func(v any) any {
		for _, part := range slices.Backward(strings.FieldsFunc(path, func(r rune) bool { return r == '.' })) {
			v = object{part: v}
		}
		return v
	}
	raw, err := json.Marshal(nest(object{unknown: 1}))
	require.NoError(t, err)
	_, err = f.Check(raw)
	var invalid *step.Invalid
	require.ErrorAs(t, err, &invalid)
	if invalid.Fields[0].Problem != "is an unknown field" || invalid.Fields[0].Field != "parameters."+step.Join(path, unknown) {
		return nil // no object, or one that takes any name
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(invalid.Fields[0].Want, "one of "), ", ") {
		all = append(all, step.Join(path, name))
		all = append(all, parametersOf(t, f, step.Join(path, name))...)
	}
	return all
}

// Codes of the program itself; Azure's own codes pass through.
func TestDocs_ExplainEveryErrorCode(t *testing.T) {
	t.Parallel()
	page := flowsPage(t)
	made := regexp.MustCompile(`(?:\b(?:fatal|notYet)\(|\b[Cc]ode: *|\.code = |\bambiguous: *|\bCode[A-Z]\w* += )"(\w+)"`)
	codes := map[string]bool{}
	var missing []string
	for _, pattern := range []string{"*.go", "../engine/*.go", "../operation/*.go", "../arm/azerr/codes.go", "../arm/azerr/classify.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, code := range made.FindAllStringSubmatch(string(source), -1) {
				if !codes[code[1]] && !strings.Contains(page, "`"+code[1]+"`") {
					missing = append(missing, code[1]+" of "+file)
				}
				codes[code[1]] = true
			}
		}
	}
	require.Empty(t, missing, "docs/flows.md does not explain them")
	for _, known := range []string{"PolicyNotFound", "JobNotVisible", "BackupUnclear", "DeadlinePassed", "OperationFailed", "UntrustedPollHost"} {
		require.True(t, codes[known], "the search does not find %s", known)
	}
}
