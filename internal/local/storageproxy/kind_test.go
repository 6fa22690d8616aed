package storageproxy

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBlobRequest_NamesTheResource(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, target, want string }{
		{http.MethodPut, "/acc/drill-evidence/2026/11/vault/id.json", "PUT blob"},
		{http.MethodGet, "/acc/drill-evidence?restype=container&comp=list&prefix=2026", "GET blobs"},
		{http.MethodPut, "/acc/drill-evidence?restype=container", "PUT container"},
	} {
		got := blobRequest(httptest.NewRequestWithContext(t.Context(), c.method, c.target, nil), nil)
		require.Equal(t, "blob", got.Service)
		require.Equal(t, c.want, got.Kind)
	}
}

func TestRequestKind_IsMethodAndTable(t *testing.T) {
	t.Parallel()
	batch := "--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n--changeset_1\r\n" +
		"Content-Type: application/http\r\n\r\nPUT http://127.0.0.1:1/acc/live(PartitionKey='a%20b',RowKey='c') HTTP/1.1\r\n"
	for _, c := range []struct{ method, path, body, want string }{
		{"GET", "/acc/operations", "", "GET operations"},
		{"GET", "/acc/operations()", "", "GET operations"},
		{"GET", "/acc/operations(PartitionKey='a/b',RowKey='(c)')", "", "GET operations"},
		{"PATCH", "/acc/operations%28PartitionKey='a',RowKey='c')", "", "PATCH operations"},
		{"POST", "/acc/Tables", "", "POST Tables"},
		{"DELETE", "/acc/Tables('live')", "", "DELETE Tables"},
		{"POST", "/acc/$batch", batch, "BATCH live"},
		{"POST", "/acc/%24batch", batch, "BATCH live"},
		{"POST", "/acc/$batch", "not a batch", "BATCH"},
		{"GET", "/acc/", "", "GET "},
		{"GET", "/", "", "GET "},
	} {
		require.Equal(t, c.want, kind(c.method, c.path, []byte(c.body)), c.path)
	}
}
