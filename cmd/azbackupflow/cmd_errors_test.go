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

// errorPage returns the text of docs/errors.md.
func errorPage(g errorGuide) string {
	var b strings.Builder
	b.WriteString(errorPageIntro)
	for _, c := range g.Classes {
		restarts := "The operation fails."
		if c.Class == operation.Throttled {
			restarts = "The step starts the work again until the deadline, if the flow supports it."
		}
		if c.MaxRestarts > 0 {
			restarts = fmt.Sprintf("The step starts the work again, at most %d times, if the flow supports it.", c.MaxRestarts)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Class, c.Meaning, c.Does, restarts)
	}
	b.WriteString("\n## Codes\n\n| codes | class | what azbackupflow does | what you can do |\n|---|---|---|---|\n")
	for _, e := range g.Errors {
		codes := "`" + strings.Join(e.Codes, "`, `") + "`"
		if e.MessageContains != "" {
			codes += "; any code whose message contains " + quoted(e.MessageContains)
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", codes, e.Class, e.Does, e.RecommendedAction)
	}
	b.WriteString("\n## Unknown codes\n\nFor a code that is not listed, the HTTP status of the response decides. An error of a job has no status, because\n" +
		"Azure accepted the request.\n\n| HTTP status | class | what azbackupflow does |\n|---|---|---|\n")
	for _, u := range g.Unknown {
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", u.Status, u.Class, u.Does)
	}
	return b.String()
}

const errorPageIntro = "# Errors of Azure\n\n" +
	"Look up an error code of Azure here to see what azbackupflow does and what you can do. The command line prints the same:\n\n" +
	"```sh\nazbackupflow errors                                    # all codes\nazbackupflow errors UserErrorStorageAccountIsLocked    # one code\n```\n\n" +
	"If Azure's response contains recommended actions, they are shown before the actions of this page. A step of a flow may\n" +
	"handle a code in its own way, for example with a lookup instead of a failure. The codes of azbackupflow itself are in\n" +
	"[flows.md](flows.md#errors). A backup or restore whose job failed is started again only as its request allows: see\n" +
	"[flows.md](flows.md#failed-jobs).\n\n" +
	"This page is generated from the tables of the program, by `go test ./cmd/azbackupflow -run ErrorPage -update`.\n\n## Classes\n\n" +
	"| class | meaning | what azbackupflow does | if Azure accepted the work and it failed later |\n|---|---|---|---|\n"

func TestErrorPage_MatchesTheProgram(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "errors.md")
	got := errorPage(newErrorGuide())
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "docs/errors.md differs from the program; run with -update")
}

func TestErrors_PrintsTheCatalogue(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	shown := s.succeeds("errors")
	azure, own, found := strings.Cut(shown, "azbackupflow: azbackupflow's own codes.")
	require.True(t, found)
	s.golden("errors", azure)
	for _, code := range []string{"PolicyNotFound", "DeadlinePassed", "BackupUnclear"} {
		require.Contains(t, own, code)
	}
	for line := range strings.Lines(shown) {
		require.LessOrEqual(t, text.StringWidth(strings.TrimSuffix(line, "\n")), outputWidth, line)
	}
	for _, e := range azerr.Catalogue() {
		for _, code := range e.Codes {
			require.Contains(t, shown, code)
		}
	}
}

func TestErrors_ExplainsOneCode(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("errors-one", s.succeeds("errors", "usererrorStorageAccountIsLocked"))
	s.golden("errors-throttled", s.succeeds("errors", "CloudDosTimeboundLimitReached"))
	s.golden("errors-guarded", s.succeeds("errors", "ResourceGuardOperationForbidden"))
}

func TestErrors_ExplainsUnknownCodes(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("errors-unknown", s.succeeds("errors", "NobodyKnows\x1bThis"))
}

func TestErrors_WritesJSON(t *testing.T) {
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

func TestErrors_ExplainsOurOwnCodes(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("errors-own", s.succeeds("errors", "backupunclear")+"\n"+s.succeeds("errors", "DeadlinePassed"))
	all := ownCodes()
	require.Greater(t, len(all), 45)
	azure := map[string]bool{}
	for _, e := range azerr.Catalogue() {
		for _, code := range e.Codes {
			azure[code] = true
		}
	}
	for _, own := range all {
		require.NotEmpty(t, own.Meaning, own.Codes)
		require.NotRegexp(t, "[`\\[\\]|]", own.Meaning+own.RecommendedAction, "the markup is removed")
		for _, code := range own.Codes {
			require.False(t, azure[code], "%s is in both tables", code)
		}
	}
	var one errorGuide
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("errors", "-o", "json", "NotProtected")), &one))
	require.Equal(t, []string{"NotProtected"}, one.Own[0].Codes)
	require.Empty(t, one.Errors)
}
