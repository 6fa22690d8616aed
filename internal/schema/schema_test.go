package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"azbackupflow/generate/flows"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/schema/schematest"
	"azbackupflow/internal/step"
)

var update = flag.Bool("update", false, "write docs/schemas")

const (
	folder    = "../../docs/schemas"
	requestID = "urn:azbackupflow:schema:request:v1"
	bulkID    = "urn:azbackupflow:schema:bulk:v1"
	eventID   = "urn:azbackupflow:schema:event:v1"
)

func config() flow.Config {
	return flow.Config{Now: func() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }, Guardrails: flow.ExampleGuardrails()}
}

func definitions(t *testing.T) []flow.Definition {
	t.Helper()
	all, err := flow.Definitions(config())
	require.NoError(t, err)
	return all
}

func registry(t *testing.T) *flow.Registry {
	t.Helper()
	r, err := flow.New(config())
	require.NoError(t, err)
	return r
}

func TestDocuments_ArePublished(t *testing.T) {
	t.Parallel()
	documents, err := schema.Documents(flows.Schemas(definitions(t)))
	require.NoError(t, err)
	var files []string
	for _, d := range documents {
		file := filepath.Join(folder, filepath.FromSlash(d.File))
		files = append(files, file)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
			require.NoError(t, os.WriteFile(file, d.JSON, 0o600))
		}
		published, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(d.JSON), string(published), "%s: run go test ./internal/schema -update", file)
	}
	published, err := filepath.Glob(filepath.Join(folder, "parameters", "*"))
	require.NoError(t, err)
	for _, file := range published {
		require.Contains(t, files, file, "no flow has this schema")
	}
}

func TestDocuments_HoldTheNewestVersionOfEachFlow(t *testing.T) {
	t.Parallel()
	schemas := schematest.Published(t, folder)
	r := registry(t)
	for _, name := range r.Names() {
		f, _ := r.Newest(name)
		schemas.Get(t, fmt.Sprintf("urn:azbackupflow:schema:parameters:%s:v%d", name, f.Version))
	}
}

// examples returns requests that use every field: those in examples/ and in
// testdata/.
func examples(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, pattern := range []string{"../../examples/*.json", "testdata/request-*.json"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			all[filepath.Base(file)] = raw
		}
	}
	require.Greater(t, len(all), 20)
	return all
}

// blocks returns the fenced JSON blocks of a kind of a page.
func blocks(t *testing.T, page, kind string) (all [][]byte) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("../../docs", page))
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?s)```json "+kind+"\n(.*?)```").FindAllSubmatch(raw, -1) {
		all = append(all, m[1])
	}
	require.NotEmpty(t, all)
	return all
}

func TestDocuments_AcceptEveryExample(t *testing.T) {
	t.Parallel()
	schemas := schematest.Published(t, folder)
	for name, raw := range examples(t) {
		require.NoError(t, schematest.Validate(schemas.Get(t, requestID), raw), name)
		r, err := request.Read(raw)
		require.NoError(t, err)
		own := schemas.Get(t, "urn:azbackupflow:schema:parameters:"+r.Flow+":v1")
		require.NoError(t, schematest.Validate(own, r.Parameters), name)
		event, err := json.Marshal(map[string]any{"specversion": "1.0", "id": "7", "source": "/s", "type": "t", "data": json.RawMessage(raw)})
		require.NoError(t, err)
		require.NoError(t, schematest.Validate(schemas.Get(t, eventID), event), name)
	}
	bulks := blocks(t, "queue.md", "bulk")
	files, err := filepath.Glob("../../examples/bulk/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		bulks = append(bulks, raw)
	}
	known := registry(t)
	for _, raw := range bulks {
		require.NoError(t, schematest.Validate(schemas.Get(t, bulkID), raw))
		read, err := request.ReadBulk(raw)
		require.NoError(t, err)
		for i := range read.Targets {
			r, err := read.Request(i)
			require.NoError(t, err)
			require.NoError(t, accepts(known, r))
		}
	}
	for _, raw := range blocks(t, "queue.md", "event") {
		require.NoError(t, schematest.Validate(schemas.Get(t, eventID), raw))
		c, err := request.Unwrap(raw)
		require.NoError(t, err)
		r, err := request.Read(c.Body)
		require.NoError(t, err)
		require.NoError(t, accepts(known, r))
	}
}

// accepts returns the program's decision about a request.
func accepts(known *flow.Registry, r request.Request) error {
	if err := r.Check(); err != nil {
		return err
	}
	f, ok := known.Newest(r.Flow)
	if !ok {
		return fmt.Errorf("no flow %q", r.Flow)
	}
	_, err := f.Check(r.Parameters)
	return err
}

// Every request that the program accepts fits the schema, and every request
// that it rejects does not, with the exceptions of the package comment: each
// example is changed in every place in many ways, and both decide.
func TestDocuments_DecideAsTheProgram(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds: checks thousands of changed requests")
	}
	s := schematest.Published(t, folder).Get(t, requestID)
	known := registry(t)
	asked := 0
	var differ []string
	for name, raw := range examples(t) {
		for _, m := range mutations(t, raw) {
			asked++
			r, err := request.Read(m.raw)
			if err == nil {
				err = accepts(known, r)
			}
			fits := schematest.Validate(s, m.raw)
			switch {
			case err == nil && fits != nil && !m.stricter:
				differ = append(differ, fmt.Sprintf("%s, %s: the program accepts it, the schema does not: %.300s", name, m.what, fits))
			case err != nil && fits == nil && !beyondSchemas(err):
				differ = append(differ, fmt.Sprintf("%s, %s: the schema accepts it, the program does not: %.300s", name, m.what, err))
			}
		}
	}
	require.Empty(t, differ)
	require.Greater(t, asked, 3000)
	t.Logf("%d requests", asked)
}

// beyondSchemas reports whether a schema cannot express any of the errors.
func beyondSchemas(err error) bool {
	fields := step.FieldsOf(err)
	for _, f := range fields {
		if !slices.ContainsFunc([]string{
			"is not an allowed restore target", "is not an allowed drill target", "belongs to vault",
			"is not the resource id of the container in containerUrl", "is out of range", "bytes long", "is not a number of days", "not in that of the datasource",
			`invalid segment "."`, `invalid segment ".."`, `invalid segment " "`, `contains "providers" twice`,
		}, func(text string) bool { return strings.Contains(f.Problem, text) }) {
			return false
		}
	}
	return len(fields) > 0
}

// mutation is a request with one thing changed.
type mutation struct {
	what string
	raw  []byte
	// stricter means that the schema may reject what the program accepts.
	stricter bool
}

// mutations changes a request in every place.
func mutations(t *testing.T, raw []byte) (all []mutation) {
	t.Helper()
	var root any
	require.NoError(t, json.Unmarshal(raw, &root))
	add := func(what string, stricter bool) {
		changed, err := json.Marshal(root)
		require.NoError(t, err)
		all = append(all, mutation{what, changed, stricter})
	}
	var visit func(path string, object map[string]any)
	visit = func(path string, object map[string]any) {
		object["unknown"] = 1
		add(path+".unknown added", false)
		delete(object, "unknown")
		for name, old := range object {
			at := path + "." + name
			delete(object, name)
			add(at+" removed", false)
			object[strings.ToUpper(name)] = old
			add(at+" in upper case", true)
			delete(object, strings.ToUpper(name))
			for _, v := range []any{7, 1.5, true, false, []any{}, map[string]any{}, nil, "", "x", "/", "Two Words", "a\nb", strings.Repeat("a", 600)} {
				object[name] = v
				add(fmt.Sprintf("%s is %.20v", at, v), v == nil || v == "")
			}
			if text, ok := old.(string); ok {
				for _, v := range []string{
					strings.ToUpper(text), strings.ToLower(text), text + "/", text + "/x", text + "?a=b", text + "#a", text + "%2f", " " + text, text + ".",
					strings.TrimPrefix(text, "/"), "/" + text, strings.Replace(text, "/vaults/", "/Vaults/", 1), strings.Replace(text, "-0000-", "-00-", 1),
					strings.Replace(text, "resourceGroups/", "resourceGroups/ü", 1), strings.Replace(text, "Microsoft.", "Contoso.", 1), strings.Replace(text, "/providers/", "/x/providers/", 1),
					strings.Replace(text, "https:", "http:", 1), text + "\x00",
				} {
					object[name] = v
					add(fmt.Sprintf("%s is %.60q", at, v), v == "")
				}
			}
			object[name] = old
			if inner, ok := old.(map[string]any); ok {
				visit(at, inner)
			}
		}
	}
	object, ok := root.(map[string]any)
	require.True(t, ok)
	visit("", object)
	return all
}

func TestDocuments_RejectInvalidBulkRequestsAndEvents(t *testing.T) {
	t.Parallel()
	schemas := schematest.Published(t, folder)
	for id, read := range map[string]func([]byte) error{
		bulkID:  func(raw []byte) error { _, err := request.ReadBulk(raw); return err },
		eventID: func(raw []byte) error { _, err := request.Unwrap(raw); return err },
	} {
		s := schemas.Get(t, id)
		kind := map[string]string{bulkID: "bulk", eventID: "event"}[id]
		for _, raw := range blocks(t, "queue.md", kind) {
			for _, m := range mutations(t, raw) {
				// The schema of the data itself describes the data of an event.
				if kind == "event" && strings.Contains(m.what, ".data") && !strings.Contains(m.what, ".datacontenttype") {
					continue
				}
				err, fits := read(m.raw), schematest.Validate(s, m.raw)
				// Without the attribute it is not an event.
				known := m.what == ".specversion removed" || kind == "bulk" && regexp.MustCompile(`^\.template\.(flow|parameters)`).MatchString(m.what)
				require.Truef(t, (err == nil) == (fits == nil) || m.stricter || known || beyondSchemas(err), "%s: the program says %v, the schema %v", m.what, err, fits)
			}
		}
	}
}

func TestDocuments_NameTheInvalidField(t *testing.T) {
	t.Parallel()
	s := schematest.Published(t, folder).Get(t, requestID)
	err := schematest.Validate(s, []byte(`{"flow":"track-job","parameters":{"jobId":"7"}}`))
	var invalid *jsonschema.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Contains(t, invalid.Error(), "/parameters/jobId")
	require.False(t, bytes.Contains([]byte(invalid.Error()), []byte("backup-now")), "the error names no other flow")
}
