package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
)

// errorPage is docs/errors.md.
func errorPage(g errorGuide) string {
	var b strings.Builder
	b.WriteString("# Errors of Azure\n\n" +
		"What azbackupflow does about Azure's error codes, and what a person should do. `azbackupflow errors` prints the same,\n" +
		"`azbackupflow errors CODE` one code. This page is written from the program's own tables by\n" +
		"`go test ./cmd/azbackupflow -run ErrorPage -update`. Codes of azbackupflow's own are in\n[flows.md](flows.md#errors).\n\n" +
		"Azure's own recommended actions go before those here. A step of a flow may know better what a code means for it: it\n" +
		"then looks further instead of failing.\n\n## Classes\n\n" +
		"| class | meaning | what azbackupflow does | what Azure accepted and failed so later |\n|---|---|---|---|\n")
	for _, c := range g.Classes {
		anew := "fails"
		if c.Class == operation.Throttled {
			anew = "is asked for anew where the flow can, until the deadline"
		}
		if c.Anew > 0 {
			anew = fmt.Sprintf("is asked for anew up to %d times where the flow can", c.Anew)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Class, c.Meaning, c.Does, anew)
	}
	b.WriteString("\n## Codes\n\n| codes | class | what azbackupflow does | what to do |\n|---|---|---|---|\n")
	for _, e := range g.Errors {
		codes := "`" + strings.Join(e.Codes, "`, `") + "`"
		if e.Text != "" {
			codes += "; any code whose message has " + quoted(e.Text)
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", codes, e.Class, e.Does, e.Advice)
	}
	b.WriteString("\n## Unknown codes\n\nA code that is not listed falls by the HTTP status it comes with. What Azure had accepted and\nwhat failed later, such as a job, has none.\n\n" +
		"| HTTP status | class | what azbackupflow does |\n|---|---|---|\n")
	for _, u := range g.Unknown {
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", u.Status, u.Class, u.Does)
	}
	return b.String()
}

func TestErrorPageSaysWhatTheProgramDoes(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "errors.md")
	got := errorPage(newErrorGuide())
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "docs/errors.md is not what the program does; -update writes it anew")
}

func TestErrorsPrintsTheWholeCatalogue(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	shown := s.succeeds("errors")
	s.golden("errors", shown)
	for line := range strings.Lines(shown) {
		require.LessOrEqual(t, text.StringWidth(strings.TrimSuffix(line, "\n")), width, line)
	}
	for _, e := range azerr.Catalogue() {
		for _, code := range e.Codes {
			require.Contains(t, shown, code)
		}
	}
}

func TestErrorsExplainsOneCode(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("errors-one", s.succeeds("errors", "usererrorStorageAccountIsLocked"))
	s.golden("errors-throttled", s.succeeds("errors", "CloudDosTimeboundLimitReached"))
	s.golden("errors-guarded", s.succeeds("errors", "ResourceGuardOperationForbidden"))
}

func TestErrorsSaysHowAnUnknownCodeFalls(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("errors-unknown", s.succeeds("errors", "NobodyKnows\x1bThis"))
}

func TestErrorsAreJSONForScripts(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	var all, one, none errorGuide
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("errors", "-o", "json")), &all))
	require.Len(t, all.Errors, len(azerr.Catalogue()))
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("errors", "-o", "json", "AuthorizationFailed")), &one))
	require.Len(t, one.Errors, 1)
	require.Equal(t, operation.UserAction, one.Errors[0].Class)
	require.Empty(t, one.Unknown)
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("errors", "-o", "json", "Nobody")), &none))
	require.Empty(t, none.Errors)
	require.Equal(t, all.Unknown, none.Unknown)
}
