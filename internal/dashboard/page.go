package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed templates/*.html
var templates embed.FS

// content holds what a page shows.
type content struct {
	// page names the template; empty means that of the section.
	page string
	// status is that of the response; zero means 200.
	status int
	// unchanged reports that the live part is as the browser has it.
	unchanged bool
	// Title is the title of the page, Section the entry of the navigation.
	Title, Section string
	// Live makes the part "live" of the page reload itself.
	Live live
	Data any
}

// live is how a page reloads itself.
type live struct {
	// Every is the trigger of htmx; empty means that the page does not change.
	Every string
	// Query is the query of the request, without the tag.
	Query string
}

// view is the data of a template.
type view struct {
	content
	// Root leads from the page to the root of the dashboard: "" or "../".
	Root string
	// App names the app.
	App string
	// Token is the token of forms.
	Token string
	// Tag identifies the content of the live part.
	Tag string
	// Notice is a message about the last action.
	Notice string
	Now    time.Time
}

// page names of templates/.
func pageNames() []string {
	return []string{
		"operations", "operation", "attention", "rejected", "items", "schedules", "protection", "drills", "readiness", "limits", "start", "start-flow", "trends", "error",
	}
}

func parsePages() (map[string]*template.Template, error) {
	pages := map[string]*template.Template{}
	for _, name := range pageNames() {
		t, err := template.New("layout.html").Funcs(functions()).ParseFS(templates, "templates/layout.html", "templates/parts.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("dashboard: page %s: %w", name, err)
		}
		pages[name] = t
	}
	return pages, nil
}

// render writes a page, or only its live part if the request asks for that and the
// part has changed.
func (d *Dashboard) render(w http.ResponseWriter, r *http.Request, status int, c content) {
	if c.unchanged {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	name := c.page
	if name == "" {
		name = c.Section
	}
	t := d.pages[name]
	v := view{
		content: c, Root: root(r), App: d.cfg.Name, Token: d.formToken(w, r), Now: d.cfg.Now().UTC(),
		Notice: notices[r.URL.Query().Get("done")],
	}
	var body bytes.Buffer
	if c.Live.Every != "" {
		part, err := d.part(t, &v)
		if err != nil {
			d.broken(w, r, err)
			return
		}
		if isLive(r) {
			if r.URL.Query().Get("tag") == v.Tag {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			body = *part
		}
	}
	if body.Len() == 0 {
		if err := t.Execute(&body, asset{v, d.asset}); err != nil {
			d.broken(w, r, err)
			return
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(plain(body.Bytes())); err != nil {
		d.cfg.Log.DebugContext(r.Context(), "page not sent", "path", r.URL.Path, "error", err)
	}
}

// part renders the live part, and sets the tag of its content.
func (d *Dashboard) part(t *template.Template, v *view) (*bytes.Buffer, error) {
	var body bytes.Buffer
	for range 2 { // the second time with the tag of the first
		body.Reset()
		if err := t.ExecuteTemplate(&body, "live", asset{*v, d.asset}); err != nil {
			return nil, err
		}
		if v.Tag == "" {
			sum := sha256.Sum256(body.Bytes())
			v.Tag = hex.EncodeToString(sum[:8])
		}
	}
	return &body, nil
}

// broken answers a request whose template failed.
func (d *Dashboard) broken(w http.ResponseWriter, r *http.Request, err error) {
	d.cfg.Log.ErrorContext(r.Context(), "dashboard template failed", "path", r.URL.Path, "error", err)
	http.Error(w, "This page cannot be shown.", http.StatusInternalServerError)
}

// asset adds the addresses of assets to a view.
type asset struct {
	view
	set assetSet
}

// Asset returns the address of an asset, relative to the page.
func (a asset) Asset(name string) string { return a.Root + "assets/" + a.set.names[name] }

// root returns the way from the page to the root of the dashboard.
func root(r *http.Request) string {
	return strings.Repeat("../", max(0, strings.Count(strings.TrimPrefix(r.URL.Path, "/"), "/")))
}

// isLive reports whether a request asks for the live part only.
func isLive(r *http.Request) bool { return r.URL.Query().Get("live") == "1" }

// notices are the messages after an action, by the query parameter done. Text from
// the address is never shown.
var notices = map[string]string{ //nolint:gochecknoglobals // a constant table
	"cancel":   "The cancellation was requested. Azure's job is canceled where Azure allows it.",
	"pause":    "The operation is paused. Azure's job continues.",
	"resume":   "The operation continues.",
	"retry":    "The operation was started again.",
	"replay":   "The request was sent again.",
	"delete":   "The rejected request was deleted.",
	"run":      "The run is requested. It starts within a minute.",
	"suspend":  "Paused: no run starts until it is continued.",
	"continue": "Continued: it starts with its next run.",
	"started":  "The operation was started.",
	"existing": "Nothing was started: the key belongs to this operation, which was started before.",
}

// seeOther leads the browser to another page. The address stays relative: the
// dashboard does not know where it is mounted.
func seeOther(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
