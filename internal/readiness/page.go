package readiness

import (
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"azbackupflow/internal/api"
)

//go:embed page.gohtml
var pageText string

//go:embed page.css
var pageStyle string

// page holds the values of the template.
type page struct {
	api.Readiness
	Style   template.CSS
	Policy  string
	Figures map[Figure]Value
	Total   api.ReadinessScore
	Groups  []group
	// Controls are those of Controls, by framework.
	Controls []Control
	vaults   map[string]api.ReadinessVault
}

// group is a table of scores.
type group struct {
	Heading, Name string
	Scores        []api.ReadinessScore
}

// Vault returns the settings of an item's vault; nil if they are unknown.
func (p page) Vault(id string) *api.ReadinessVault {
	if v, ok := p.vaults[Key(id)]; ok {
		return &v
	}
	return nil
}

// WritePage writes a whole report as an HTML page for people. The page needs no
// other files, has no scripts, and can be printed. Its content security policy
// forbids everything but its own style.
func WritePage(w io.Writer, r api.Readiness) error {
	parsed, err := template.New("page").Funcs(template.FuncMap{
		"time": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
		"when": func(t *time.Time) string {
			if t == nil {
				return ""
			}
			return t.UTC().Format("2006-01-02 15:04")
		},
		"last": func(id string) string { return id[strings.LastIndex(id, "/")+1:] },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("parse the page of the report: %w", err)
	}
	sum := sha256.Sum256([]byte(pageStyle))
	p := page{
		Readiness: r, Figures: Figures(r), Controls: Controls(), vaults: vaultsByID(r),
		Style:  template.CSS(pageStyle), //nolint:gosec // G203: our own file
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
	}
	for _, g := range []group{{Heading: "Vaults", Name: GroupVault}, {Heading: "Subscriptions", Name: GroupSubscription}, {Heading: "Tag values", Name: GroupTag}} {
		for _, s := range r.Scores {
			switch s.Group {
			case GroupTotal:
				p.Total = s
			case g.Name:
				g.Scores = append(g.Scores, s)
			}
		}
		if len(g.Scores) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	if err := parsed.Execute(w, p); err != nil {
		return fmt.Errorf("write the page of the report: %w", err)
	}
	return nil
}
