// Package oav validates requests and answers with Azure's own validator (the
// npm package oav) against Azure's published API descriptions. Its
// findings about the requests of the handlers and the answers of the simulator
// are independent of our own checks.
//
// What it does not do: it cannot tell whether Azure accepts a value that the
// description allows, and checks neither headers nor the order of requests.
// Azure sends answers that the published descriptions do not cover, so errors
// of answers are only information, while a request must have none.
package oav

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// SharedVariable names the environment variable with the folder whose subfolder
// specs holds the API descriptions. Without it, the folder "shared" next to the
// repository is used.
const SharedVariable = "AZBACKUPFLOW_SHARED"

// Exchange is one request and its answer, in the file format of oav.
type Exchange struct {
	Request  Request  `json:"liveRequest"`
	Response Response `json:"liveResponse"`
}

// Request is a sent request. The host of the URL is ignored; its path and query
// select the operation.
type Request struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// Response is a received answer.
type Response struct {
	StatusCode int               `json:"statusCode,string"`
	Headers    map[string]string `json:"headers"`
	Body       json.RawMessage   `json:"body,omitempty"`
}

// Headers returns the first value of each header, because the format has room
// for only one.
func Headers(h http.Header) map[string]string {
	flat := make(map[string]string, len(h))
	for name := range h {
		flat[name] = h.Get(name)
	}
	return flat
}

// Save writes the exchange to dir as name.json, for Validate.
func (e Exchange) Save(dir, name string) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".json"), data, 0o600)
}

// Result is the result of oav for one exchange.
type Result struct {
	File           string   `json:"file"`
	Operation      string   `json:"operation"` // ID of the operation in the description, such as "Backups_Trigger"
	APIVersion     string   `json:"apiVersion"`
	RequestErrors  []string `json:"requestErrors"`
	ResponseErrors []string `json:"responseErrors"`
}

// Validate runs oav on the JSON files of dir. It fails the test if there is no
// file, if a request has an error, or if a request matches no operation of any
// description. It returns one result per file, in the order of the file
// names.
//
// It skips the test if oav is not installed (make deps) or the API descriptions
// are missing.
func Validate(t testing.TB, dir string) []Result {
	t.Helper()
	results := runOAV(t, dir)
	require.NotEmpty(t, results, "no exchange to validate in %s", dir)
	for _, j := range results {
		for _, problem := range j.RequestErrors {
			t.Errorf("%s: the request %s does not match Azure's description: %s", j.File, j.Operation, problem)
		}
	}
	return results
}

func runOAV(t testing.TB, dir string) []Result {
	t.Helper()
	home, specs := installed(t)
	dir, err := filepath.Abs(dir)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(home, "validate.mjs"), specs, dir)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	require.NoError(t, cmd.Run(), "oav: %s", &stderr)
	var results []Result
	require.NoError(t, json.Unmarshal(out.Bytes(), &results))
	return results
}

// installed returns this folder and the folder of the descriptions, starting
// from the working directory of the test.
func installed(t testing.TB) (home, specs string) {
	t.Helper()
	root, err := os.Getwd()
	require.NoError(t, err)
	for !exists(filepath.Join(root, "go.mod")) {
		parent := filepath.Dir(root)
		require.NotEqual(t, parent, root, "the repository's root is not above the working directory")
		root = parent
	}
	shared := os.Getenv(SharedVariable)
	if shared == "" {
		shared = filepath.Join(filepath.Dir(root), "shared")
	}
	specs = filepath.Join(shared, "specs")
	home = filepath.Join(root, "test", "outside", "oav")
	if !exists(filepath.Join(specs, "MANIFEST.json")) {
		t.Skipf("Azure's API descriptions are missing (set %s)", SharedVariable)
	}
	if !exists(filepath.Join(home, "node_modules", "oav")) {
		t.Skip("oav is not installed (make deps)")
	}
	return home, specs
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
