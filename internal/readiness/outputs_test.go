package readiness_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"azbackupflow/internal/api"
	"azbackupflow/internal/readiness"
	"azbackupflow/internal/readiness/readinesstest"
	"azbackupflow/internal/readiness/scan"
)

var update = flag.Bool("update", false, "update golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// sample is a report with a resource in each state, and more.
func sample(t *testing.T, more ...api.ReadinessItem) api.Readiness {
	t.Helper()
	fake := &readinesstest.Fake{Now: now}
	fake.Show(append(readinesstest.Items(now()), more...)...)
	r, err := fake.Report(t.Context(), scan.Request{MaxProofAge: 365 * day, MaxPointAge: day, Tag: "env"})
	require.NoError(t, err)
	r.Objectives = api.ReadinessObjectives{MaxPointAge: "P1D", MaxProofAge: "P365D"}
	return r
}

func TestWriteCSV_HasAColumnForEachFact(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, readiness.WriteCSV(&out, sample(t)))
	golden(t, "report.csv", out.Bytes())
	lines, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 7)
	filled := map[string]bool{}
	for n, c := range readiness.Columns() {
		require.Equal(t, c.Name, lines[0][n])
		require.Regexp(t, `^[a-z_]+$`, c.Name)
		for _, l := range lines[1:] {
			filled[c.Name] = filled[c.Name] || l[n] != ""
		}
	}
	delete(filled, "failed_backups") // of Backup vaults only
	for name, ok := range filled {
		require.True(t, ok, "no resource has %s", name)
	}
}

// hostile are names that a spreadsheet, a browser or a terminal would act on.
func hostile() []string {
	return []string{
		`=HYPERLINK("http://evil.example","x")`, "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r\n=1", " =1", "\uff1d1", "\u00a0=1",
		`</title><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"onmouseover="alert(1)`, "a,b;\"c\"", "\x1b[31mred", "\u202eevil", "javascript:alert(1)", "{{.Secret}}", "a\x00b", "\xff\xfe",
	}
}

func hostileItems() (items []api.ReadinessItem) {
	for _, name := range hostile() {
		items = append(items, api.ReadinessItem{
			Name: name, Type: name, Tag: name, Subscription: name, ResourceID: "/r/" + name, ItemID: name, VaultID: name, Policy: name, Retention: name, Rule: name, RuleOutcome: "protect",
			ProtectionState: name, BackupFailed: name, Tier: name, ExcludedBy: "", Drill: &api.ReadinessDrill{ID: name, Started: now(), Result: name, RestoreTime: name},
		})
	}
	return items
}

func TestWriteCSV_NeverWritesAFormula(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, readiness.WriteCSV(&out, sample(t, hostileItems()...)))
	raw := out.String()
	require.NotContains(t, strings.ReplaceAll(raw, "\r\n", ""), "\r", "only line ends")
	lines, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 7+len(hostile()))
	for _, l := range lines {
		for _, cell := range l {
			trimmed := strings.TrimSpace(cell)
			require.False(t, trimmed != "" && strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", []rune(trimmed)[0]), "%q", cell)
			require.NotRegexp(t, `[[:cntrl:]]`, cell)
		}
	}
	require.Contains(t, raw, `"'=HYPERLINK(""http://evil.example"",""x"")"`)
}

// A page has no scripts, loads nothing, and shows hostile names as text.
func TestWritePage_ShowsHostileNamesAsText(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := sample(t, hostileItems()...)
	r.Scan.Problems = []api.ReadinessProblem{{Part: "vault", Subject: hostile()[9], Code: hostile()[10], Message: hostile()[11]}}
	require.NoError(t, readiness.WritePage(&out, r))
	page, err := html.Parse(bytes.NewReader(out.Bytes()))
	require.NoError(t, err)
	allowed := map[string]bool{"html": true, "head": true, "meta": true, "title": true, "style": true, "body": true, "h1": true, "h2": true, "p": true, "table": true, "thead": true, "tbody": true, "tr": true, "th": true, "td": true, "br": true, "code": true, "strong": true}
	attributes := map[string]bool{"lang": true, "charset": true, "content": true, "http-equiv": true, "name": true, "scope": true, "class": true}
	policy := ""
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.ElementNode {
			require.True(t, allowed[n.Data], n.Data)
			for _, a := range n.Attr {
				require.True(t, attributes[a.Key], a.Key)
				if a.Key == "content" && strings.Contains(a.Val, "default-src") {
					policy = a.Val
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
	}
	visit(page)
	require.Regexp(t, `^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'$`, policy)
	require.Contains(t, out.String(), "&lt;script&gt;alert(1)")
}

func TestWritePage_IsThePublishedPage(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, readiness.WritePage(&out, sample(t)))
	golden(t, "report.html", out.Bytes())
	for _, c := range readiness.Controls() {
		require.Contains(t, out.String(), "<td>"+c.ID+"</td>")
	}
}

// Each control has figures, or names what azbackupflow does not cover.
// A backup that is unknown, too old or in the future does not meet a maximum age.
func TestFigures_CountOnlyKnownBackupsWithinObjectives(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		backup *time.Time
		maxAge time.Duration
		want   int
	}{
		"in time":                  {at(time.Hour), day, 1},
		"clock ahead":              {at(-time.Minute), day, 1},
		"unknown":                  {nil, day, 0},
		"too old":                  {at(2 * day), day, 0},
		"future":                   {at(-2 * time.Hour), day, 0},
		"future without objective": {at(-2 * time.Hour), 0, 1},
	} {
		item := judge(t, c.maxAge).Assess(api.ReadinessItem{ItemID: "/i", ProtectionState: "Protected", LastBackup: c.backup})
		r := api.Readiness{At: now(), Items: []api.ReadinessItem{item}}
		if c.maxAge > 0 {
			r.Objectives.MaxPointAge = "P1D"
		}
		require.Equal(t, readiness.Value{Count: c.want, Of: 1}, readiness.Figures(r)[readiness.FigureWithinObjectives], name)
	}
}

func TestControls_NameTheirFigures(t *testing.T) {
	t.Parallel()
	figures := readiness.Figures(sample(t))
	seen := map[string]bool{}
	for _, c := range readiness.Controls() {
		require.False(t, seen[c.Framework+c.ID], c.ID)
		seen[c.Framework+c.ID] = true
		require.NotEmpty(t, c.Topic)
		require.True(t, len(c.Figures) > 0 || c.Else != "", c.ID)
		for _, f := range c.Figures {
			require.Positive(t, figures[f].Of, "%s: %s", c.ID, f)
		}
	}
	require.Equal(t, map[readiness.Figure]readiness.Value{
		readiness.FigureExcluded: {Count: 1, Of: 6}, readiness.FigureProtected: {Count: 3, Of: 5}, readiness.FigureWithinObjectives: {Count: 2, Of: 5}, readiness.FigureProven: {Count: 1, Of: 5},
		readiness.FigureRestoreTime: {Count: 1, Of: 5}, readiness.FigureFailing: {Count: 1, Of: 3}, readiness.FigureRetention: {Count: 3, Of: 3},
		readiness.FigureSoftDelete: {Count: 1, Of: 1}, readiness.FigureImmutable: {Count: 0, Of: 1}, readiness.FigureMultiUser: {Count: 0, Of: 1},
	}, figures)
	require.Equal(t, "1 of 5 (20 %)", figures[readiness.FigureProven].String())
	require.Equal(t, "0 of 0", readiness.Value{}.String())
}

// docs/readiness.md documents the columns and the controls as the code has them.
func TestDocs_HaveTheColumnsAndControls(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "readiness.md")
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, table := range map[string]string{"columns": columnTable(), "controls": controlTable()} {
		begin, end := "<!-- generated "+name+": go test ./internal/readiness -update -->\n\n", "\n<!-- end of generated "+name+" -->"
		block := regexp.MustCompile(regexp.QuoteMeta(begin) + `(?s:.*?)` + regexp.QuoteMeta(end))
		require.Regexp(t, block, string(page), name)
		want := begin + table + end
		if *update {
			page = block.ReplaceAllLiteral(page, []byte(want))
			continue
		}
		require.Contains(t, string(page), want)
	}
	if *update {
		require.NoError(t, os.WriteFile(path, page, 0o600))
	}
}

func columnTable() string {
	var b strings.Builder
	b.WriteString("| column | meaning |\n|---|---|\n")
	for _, c := range readiness.Columns() {
		b.WriteString("| `" + c.Name + "` | " + c.Meaning + " |\n")
	}
	return b.String()
}

func controlTable() string {
	var b strings.Builder
	b.WriteString("| framework | control | about | figures of the report | not covered |\n|---|---|---|---|---|\n")
	for _, c := range readiness.Controls() {
		var figures []string
		for _, f := range c.Figures {
			figures = append(figures, string(f))
		}
		b.WriteString("| " + strings.Join([]string{c.Framework, c.ID, c.Topic, strings.Join(figures, ", "), c.Else}, " | ") + " |\n")
	}
	return b.String()
}
