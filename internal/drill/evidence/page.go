package evidence

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"time"
)

//go:embed page.gohtml
var pageText string

// WritePage writes verified evidence as an HTML page for people. The page needs no
// other files, and can be printed.
func WritePage(w io.Writer, v Verified) error {
	page, err := template.New("page").Funcs(template.FuncMap{
		"time": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"met":  met,
		"took": func(p Phase) string { return format(*roundedUp(p.Ended.Sub(p.Started))) },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("parse the page of a drill: %w", err)
	}
	if err := page.Execute(w, v); err != nil {
		return fmt.Errorf("write the page of drill %s: %w", v.Evidence.ID, err)
	}
	return nil
}

// met describes whether an objective is met.
func met(o *Objective) string {
	switch {
	case o.Met == nil:
		return "no objective"
	case *o.Met:
		return "yes"
	}
	return "no"
}
