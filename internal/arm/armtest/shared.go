package armtest

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// shared reads a file of the folder with the API descriptions, recordings and
// Learn's pages: AZBACKUPFLOW_SHARED, or "shared" next to the repository.
func shared(t testing.TB, what string, path ...string) []byte {
	t.Helper()
	root := os.Getenv("AZBACKUPFLOW_SHARED")
	if root == "" {
		dir, err := os.Getwd()
		require.NoError(t, err)
		for !exists(filepath.Join(dir, "go.mod")) && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", "shared")
	}
	// os.DirFS opens no file outside the folder.
	raw, err := fs.ReadFile(os.DirFS(root), filepath.ToSlash(filepath.Join(path...)))
	if err != nil {
		t.Skipf("%s is not available; set AZBACKUPFLOW_SHARED", what)
	}
	return raw
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// Page returns the text of one of Learn's pages.
func Page(t testing.TB, name string) string {
	t.Helper()
	return string(shared(t, "Learn's page "+name, "learn", name))
}

// Interaction is one recorded exchange with Azure.
type Interaction struct {
	Request struct {
		Method string
		URI    string
		// Body is JSON or empty.
		Body string
	}
	Response struct {
		Status  struct{ Code int }
		Headers http.Header
		Body    struct{ String string }
	}
}

// Recording returns recorded Azure traffic, in order.
func Recording(t testing.TB, name string) []Interaction {
	t.Helper()
	var cassette struct{ Interactions []Interaction }
	require.NoError(t, yaml.Unmarshal(shared(t, "recorded Azure traffic", "recordings", name), &cassette))
	for i, x := range cassette.Interactions {
		h := http.Header{}
		for k, v := range x.Response.Headers {
			h[http.CanonicalHeaderKey(k)] = v
		}
		cassette.Interactions[i].Response.Headers = h
	}
	return cassette.Interactions
}

// Items returns the number of items on a page of a list.
func Items(t testing.TB, body string) int {
	t.Helper()
	var l struct{ Value []json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(body), &l))
	return len(l.Value)
}
