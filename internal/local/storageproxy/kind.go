package storageproxy

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"azbackupflow/internal/local/fault"
)

// tableRequest describes a request to a table service.
func tableRequest(r *http.Request, body []byte) fault.Request {
	return fault.Request{Service: "table", Kind: kind(r.Method, r.URL.EscapedPath(), body), Detail: r.Method + " " + r.URL.EscapedPath()}
}

// blobRequest describes a request to a blob service. The path has the form
// /account/container/blob.
func blobRequest(r *http.Request, _ []byte) fault.Request {
	what := "blob"
	switch {
	case r.URL.Query().Get("comp") == "list":
		what = "blobs"
	case r.URL.Query().Get("restype") != "":
		what = r.URL.Query().Get("restype")
	}
	return fault.Request{Service: "blob", Kind: r.Method + " " + what, Detail: r.Method + " " + r.URL.EscapedPath()}
}

// batchPath is the last part of the path of an entity group transaction.
const batchPath = "$batch"

// kind returns the kind of a request: its method and table. An entity group
// transaction concerns one table, which kind reads from the first request
// inside. The path has the original form /account/table or
// /account/table(PartitionKey='…',RowKey='…').
func kind(method, path string, body []byte) string {
	table := tableOf(path)
	if table != batchPath {
		return method + " " + table
	}
	for line := range bytes.Lines(body) {
		// The parts of a transaction start like "POST http://host/account/table
		// HTTP/1.1".
		words := strings.Fields(string(line))
		if len(words) != 3 || !strings.HasPrefix(words[2], "HTTP/") {
			continue
		}
		if inner, err := url.Parse(words[1]); err == nil {
			return "BATCH " + tableOf(inner.EscapedPath())
		}
	}
	return "BATCH"
}

// tableOf returns the second segment of the path, without keys. The list of
// tables is the table "Tables".
func tableOf(path string) string {
	_, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	table, _, _ := strings.Cut(rest, "/")
	table, _, _ = strings.Cut(table, "(")
	if plain, err := url.PathUnescape(table); err == nil {
		table = plain
	}
	table, _, _ = strings.Cut(table, "(")
	return table
}
