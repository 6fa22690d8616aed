package state

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const multipartMixed = "multipart/mixed; boundary=batchresponse_1"

// answerOf returns the answer of Table Storage that contains the parts.
func answerOf(parts ...string) string {
	var b strings.Builder
	b.WriteString("--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_2\r\n\r\n")
	for _, p := range parts {
		b.WriteString("--changesetresponse_2\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n")
		b.WriteString(strings.ReplaceAll(p, "\n", "\r\n") + "\r\n")
	}
	b.WriteString("--changesetresponse_2--\r\n--batchresponse_1--\r\n")
	return b.String()
}

const (
	accepted = "HTTP/1.1 204 No Content\nX-Content-Type-Options: nosniff\nPreference-Applied: return-no-content\nDataServiceVersion: 1.0;\nETag: W/\"datetime'2025-03-01T08%3A00%3A00.1234567Z'\"\n\n"
	failure  = "HTTP/1.1 412 Precondition Failed\nDataServiceVersion: 3.0;\nContent-Type: application/json;odata=minimalmetadata\n\n" +
		`{"odata.error":{"code":"UpdateConditionNotSatisfied","message":{"lang":"en-US","value":"0:The update condition specified in the request was not satisfied."}}}`
	failedInHeader = "HTTP/1.1 409 Conflict\nx-ms-error-code: EntityAlreadyExists\n\n"
)

func read(parts ...string) ([]part, error) {
	return readParts(multipartMixed, []byte(answerOf(parts...)))
}

func TestReadParts_ReturnsStatusCodeAndETag(t *testing.T) {
	t.Parallel()
	parts, err := read(accepted, accepted)
	require.NoError(t, err)
	require.Equal(t, []part{
		{status: 204, etag: `W/"datetime'2025-03-01T08%3A00%3A00.1234567Z'"`},
		{status: 204, etag: `W/"datetime'2025-03-01T08%3A00%3A00.1234567Z'"`},
	}, parts)
	parts, err = read(failure)
	require.NoError(t, err)
	require.Equal(t, []part{{status: 412, code: "UpdateConditionNotSatisfied"}}, parts)
	parts, err = read(failedInHeader)
	require.NoError(t, err)
	require.Equal(t, []part{{status: 409, code: "EntityAlreadyExists"}}, parts)
}

func TestReadParts_ReportsMalformedAnswers(t *testing.T) {
	t.Parallel()
	for _, answer := range []struct{ contentType, body string }{
		{"application/json", `{}`},
		{"multipart/mixed", ``},
		{"multipart/mixed; boundary=b", ``},
		{"multipart/mixed; boundary=b", "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"},
		{multipartMixed, answerOf("not http")},
		{multipartMixed, answerOf("HTTP/1.1 000 \n\n")},
		{multipartMixed, strings.SplitAfter(answerOf(accepted, accepted), "ETag")[0]},
	} {
		_, err := readParts(answer.contentType, []byte(answer.body))
		require.Error(t, err)
	}
}

func TestReadParts_ReturnsPartsBeforeMalformedOne(t *testing.T) {
	t.Parallel()
	parts, err := read(accepted, "not http")
	require.Error(t, err)
	require.Len(t, parts, 1)
}

func FuzzReadParts(f *testing.F) {
	for _, parts := range [][]string{{accepted, accepted}, {failure}, {failedInHeader}, {"not http"}, {"HTTP/1.1 000 \n\n"}, nil} {
		f.Add(answerOf(parts...))
	}
	f.Fuzz(func(t *testing.T, body string) {
		parts, _ := readParts(multipartMixed, []byte(body))
		for _, p := range parts {
			require.GreaterOrEqual(t, p.status, 200)
		}
	})
}
