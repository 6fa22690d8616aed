package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// pageBlock is a code block of a page.
type pageBlock struct {
	page string
	line int
	// language and needs are from the first line of the block: sh, or sh needs=azure.
	// A block with needs cannot run here.
	language, needs string
	text            string
}

func (b pageBlock) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// commandPages returns the pages whose commands are run, in the order in which they
// run: the tutorial needs a file share that is not protected yet.
func commandPages(t *testing.T) []string {
	t.Helper()
	howTo, err := filepath.Glob("../../docs/how-to/*.md")
	require.NoError(t, err)
	require.Greater(t, len(howTo), 6)
	return append([]string{"../../docs/tutorial.md", "../../README.md"}, howTo...)
}

func blocksOf(t *testing.T, page string) (blocks []pageBlock) {
	t.Helper()
	raw, err := os.ReadFile(page)
	require.NoError(t, err)
	fence := regexp.MustCompile("(?ms)^```(\\w+)(?: needs=(\\w+))?\n(.*?)^```$")
	for _, m := range fence.FindAllStringSubmatchIndex(string(raw), -1) {
		part := func(i int) string {
			if m[i] < 0 {
				return ""
			}
			return string(raw[m[i]:m[i+1]])
		}
		blocks = append(blocks, pageBlock{
			page: strings.TrimPrefix(page, "../../"), line: strings.Count(string(raw[:m[0]]), "\n") + 1,
			language: part(2), needs: part(4), text: part(6),
		})
	}
	require.Equal(t, strings.Count(string(raw), "\n```"), 2*len(blocks), "%s: every fence has a language", page)
	return blocks
}

func TestDocs_CodeBlocksHaveValidSyntax(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"": true, "azure": true, "build": true, "dotnet": true}
	for _, page := range commandPages(t) {
		for _, b := range blocksOf(t, page) {
			require.True(t, known[b.needs], "%s: needs=%s is not known", b, b.needs)
			switch b.language {
			case "sh":
				_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(b.text), b.String())
				require.NoError(t, err)
			case "js":
				checkWith(t, b, "mjs", "node", "--check")
			case "python":
				checkWith(t, b, "py", "python3", "-m", "py_compile")
			case "text", "csharp":
			default:
				t.Errorf("%s: no check for %s", b, b.language)
			}
		}
	}
}

// checkWith checks a block with a program, where that is installed.
func checkWith(t *testing.T, b pageBlock, extension string, command ...string) {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Logf("%s is not checked: %s is not installed", b, command[0])
		return
	}
	file := filepath.Join(t.TempDir(), "block."+extension)
	require.NoError(t, os.WriteFile(file, []byte(b.text), 0o600))
	output, err := exec.CommandContext(t.Context(), command[0], append(command[1:], file)...).CombinedOutput()
	require.NoErrorf(t, err, "%s\n%s", b, output)
}

// TestDocs_PageCommandsRun runs every command of the pages against one local stack,
// unless its block needs something else. A page is one shell, so that a block has the
// variables of the blocks above it. A block with the language text is the expected
// output of the block above it: its lines are in the output in this order, and …
// stands for any text.
func TestDocs_PageCommandsRun(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed})
	env := pageEnvironment(t, l)
	for _, page := range commandPages(t) {
		blocks := blocksOf(t, page)
		outputs := runPage(t, env, blocks)
		for i, b := range blocks {
			if b.language == "text" && b.needs == "" {
				require.Positive(t, i)
				requireShown(t, b, outputs[i-1])
			}
		}
	}
}

// pageEnvironment returns the environment of the shells: the command line, the
// address of the stack, and the variables that the pages set in Azure.
func pageEnvironment(t *testing.T, l *local) []string {
	t.Helper()
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(bin, "azbackupflow"), "../../cmd/azbackupflow")
	output, err := build.CombinedOutput()
	require.NoErrorf(t, err, "%s", output)
	return append(os.Environ(),
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir(),
		"AZBACKUPFLOW_URL="+l.URL(), "AZBACKUPFLOW_FUNCTION_KEY=", "AZBACKUPFLOW_CONTEXT=",
		"SUBSCRIPTION="+armsim.DemoSubscription, "GROUP=azurefiles", "VAULT=azurefilesvault",
		"ACCOUNT=testvault2", "SHARE=testshare", "POLICY=schedule1",
		"SCHEDULES="+filepath.Join(t.TempDir(), "schedules.yaml"),
	)
}

// runPage runs the blocks of a page that can run, and returns the output of each.
func runPage(t *testing.T, env []string, blocks []pageBlock) []string {
	t.Helper()
	if len(blocks) == 0 {
		return nil
	}
	const mark = "@@ end of block "
	var script strings.Builder
	script.WriteString("exec 2>&1\n")
	for i, b := range blocks {
		switch {
		case b.needs != "":
		case b.language == "sh":
			script.WriteString(b.text)
		case b.language == "python" || b.language == "js":
			script.WriteString(programCall(t, b))
		}
		fmt.Fprintf(&script, "\nprintf '\\n%s%d\\n'\n", mark, i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*maxWait)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-e", "-u", "-o", "pipefail", "-c", script.String())
	shell.Dir, shell.Env = "../..", env
	raw, err := shell.CombinedOutput()
	outputs := strings.Split(string(raw), mark)
	require.NoErrorf(t, err, "%s\n%s", blocks[min(len(outputs), len(blocks))-1], raw)
	return outputs
}

// programCall writes the program of a block to a file, and returns the command that
// runs it. It must report a success.
func programCall(t *testing.T, b pageBlock) string {
	t.Helper()
	program, extension := "node", "mjs"
	if b.language == "python" {
		program, extension = "python3", "py"
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Logf("%s is not run: %s is not installed", b, program)
		return ""
	}
	file := filepath.Join(t.TempDir(), "block."+extension)
	require.NoError(t, os.WriteFile(file, []byte(b.text), 0o600))
	return fmt.Sprintf("test \"$(%s %q | tail -n 1)\" = Succeeded\n", program, file)
}

// requireShown compares an output with the expected one of a page.
func requireShown(t *testing.T, expected pageBlock, output string) {
	t.Helper()
	lines := strings.Split(output, "\n")
	for want := range strings.Lines(expected.text) {
		want = strings.TrimSpace(want)
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*") + "$")
		found := -1
		for i, line := range lines {
			if pattern.MatchString(strings.TrimSpace(line)) {
				found = i
				break
			}
		}
		require.GreaterOrEqualf(t, found, 0, "%s: the output has no line %q:\n%s", expected, want, output)
		lines = lines[found+1:]
	}
}
