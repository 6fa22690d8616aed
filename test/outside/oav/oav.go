// Package oav has requests and answers judged by Azure's own validator (the npm
// package oav) and Azure's published API descriptions: an outside opinion on
// what the handlers send, and on how the simulator answers.
//
// What it cannot tell: whether Azure would accept a value that the description
// allows, and anything about headers and the order of requests. The published
// descriptions do not know all that Azure really answers, so errors of answers
// are for reading, while a request must have none.
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

// SharedVariable names the environment variable that says where the API
// descriptions are: in the folder specs below it. Without it, the folder
// "shared" beside the repository is taken.
const SharedVariable = "AZBACKUPFLOW_SHARED"

// Exchange is one request and its answer, in the file format that oav reads.
type Exchange struct {
	Request  Request  `json:"liveRequest"`
	Response Response `json:"liveResponse"`
}

// Request is what was sent. The URL may have any host; its path and query
// decide the operation.
type Request struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// Response is what was answered.
type Response struct {
	StatusCode int               `json:"statusCode,string"`
	Headers    map[string]string `json:"headers"`
	Body       json.RawMessage   `json:"body,omitempty"`
}

// Headers takes the first value of each header, which is all that the format
// has room for.
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

// Judgement is what oav finds about one exchange.
type Judgement struct {
	File           string   `json:"file"`
	Operation      string   `json:"operation"` // the operation's id in the description, such as "Backups_Trigger"
	APIVersion     string   `json:"apiVersion"`
	RequestErrors  []string `json:"requestErrors"`
	ResponseErrors []string `json:"responseErrors"`
}

// Validate has each exchange in the JSON files of dir judged, and fails the
// test if there is none, if a request has an error, or if a request is no
// operation of any description. The judgements, in the order of the files'
// names, say what else oav found.
//
// It skips the test where oav is not installed (make deps) or the API
// descriptions are not there.
func Validate(t testing.TB, dir string) []Judgement {
	t.Helper()
	judgements := judge(t, dir)
	require.NotEmpty(t, judgements, "no exchange to judge in %s", dir)
	for _, j := range judgements {
		for _, problem := range j.RequestErrors {
			t.Errorf("%s: the request %s is not as Azure describes it: %s", j.File, j.Operation, problem)
		}
	}
	return judgements
}

func judge(t testing.TB, dir string) []Judgement {
	t.Helper()
	home, specs := installed(t)
	dir, err := filepath.Abs(dir)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(home, "validate.mjs"), specs, dir)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	require.NoError(t, cmd.Run(), "oav: %s", &complaints)
	var judgements []Judgement
	require.NoError(t, json.Unmarshal(out.Bytes(), &judgements))
	return judgements
}

// installed finds this folder and the descriptions from the working directory
// of a test, which is its package's folder.
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
		t.Skipf("Azure's API descriptions are not here (set %s)", SharedVariable)
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
