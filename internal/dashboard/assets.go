package dashboard

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// files holds the style, the scripts and the icon. htmx.min.js is the unchanged file
// of the npm package htmx.org; a test compares it.
//
//go:embed assets/*.css assets/*.js assets/*.svg
var files embed.FS

// assetSet holds the assets by a name with a digest of their content, so that
// browsers may keep them forever.
type assetSet struct {
	names map[string]string // digested name by plain name
	data  map[string][]byte // by digested name
}

func loadAssets() (assetSet, error) {
	set := assetSet{names: map[string]string{}, data: map[string][]byte{}}
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		return set, fmt.Errorf("dashboard: %w", err)
	}
	for _, e := range entries {
		data, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			return set, fmt.Errorf("dashboard: %w", err)
		}
		sum := sha256.Sum256(data)
		kind := path.Ext(e.Name())
		digested := strings.TrimSuffix(e.Name(), kind) + "-" + hex.EncodeToString(sum[:6]) + kind
		set.names[e.Name()], set.data[digested] = digested, data
	}
	return set, nil
}

// contentType returns the media type of an asset.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}

func (d *Dashboard) serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	data, ok := d.asset.data[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	if _, err := w.Write(data); err != nil {
		d.cfg.Log.DebugContext(r.Context(), "asset not sent", "file", name, "error", err)
	}
}
