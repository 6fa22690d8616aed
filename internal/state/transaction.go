package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// transact submits an entity-group transaction. It returns the ETag of the first
// entity, empty if the answer does not contain it.
func transact(ctx context.Context, table *aztables.Client, changes ...change) (etag string, err error) {
	b := batch{changes: changes}
	if err := b.send(ctx, table); err != nil {
		return "", err
	}
	parts, err := readParts(b.contentType, b.answer)
	for _, p := range parts {
		if p.status >= http.StatusBadRequest {
			return "", &tableError{status: p.status, code: p.code}
		}
	}
	if err != nil {
		return "", err
	}
	if len(parts) > 0 {
		etag = parts[0].etag
	}
	return etag, nil
}

// part is the answer to one action of a transaction. A failed transaction has
// only one part, for the action that failed.
type part struct {
	status int
	code   string
	etag   string
}

// readParts parses a multipart batch that contains one multipart changeset of
// HTTP answers. After an error it also returns the parts before the error.
func readParts(contentType string, body []byte) ([]part, error) {
	changesets, err := splitParts(contentType, body)
	if err != nil {
		return nil, err
	}
	header, changeset, _ := bytes.Cut(changesets[0], endOfHeader)
	answers, err := splitParts(headerOf(header, "Content-Type"), changeset)
	if err != nil {
		return nil, err
	}
	parts := make([]part, 0, len(answers))
	for _, text := range answers {
		_, answer, _ := bytes.Cut(text, endOfHeader)
		p, err := readPart(answer)
		if err != nil {
			return parts, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

var endOfHeader = []byte("\r\n\r\n")

// splitParts returns the parts of a multipart body, at least one. The last part
// must be followed by the closing delimiter.
func splitParts(contentType string, body []byte) ([][]byte, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, fmt.Errorf("transaction answer has content type %q; want multipart", contentType)
	}
	delimiter := []byte("--" + params["boundary"])
	pieces := bytes.Split(body, delimiter)
	if len(pieces) < 3 || !bytes.HasPrefix(pieces[len(pieces)-1], []byte("--")) {
		return nil, errors.New("transaction answer is not complete")
	}
	return pieces[1 : len(pieces)-1], nil
}

// headerOf returns a field of a header.
func headerOf(header []byte, name string) string {
	for line := range bytes.Lines(header) {
		field, value, ok := bytes.Cut(line, []byte(":"))
		if ok && strings.EqualFold(string(bytes.TrimSpace(field)), name) {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// readPart parses an HTTP answer: "HTTP/1.1 204 No Content", a header, a body.
func readPart(answer []byte) (part, error) {
	header, body, _ := bytes.Cut(answer, endOfHeader)
	line, header, _ := bytes.Cut(header, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 2 || !bytes.HasPrefix(fields[0], []byte("HTTP/1.")) {
		return part{}, fmt.Errorf("transaction answer has status line %.40q; want HTTP", line)
	}
	status, err := strconv.Atoi(string(fields[1]))
	if err != nil || status < http.StatusOK || status > 599 {
		return part{}, fmt.Errorf("transaction answer has status line %.40q; want a status of three digits", line)
	}
	p := part{status: status, etag: headerOf(header, "ETag"), code: headerOf(header, "x-ms-error-code")}
	if p.status < http.StatusBadRequest || p.code != "" {
		return p, nil
	}
	var failure struct {
		Error struct {
			Code string `json:"code"`
		} `json:"odata.error"`
	}
	// If the body is incomplete, the status is still known.
	if json.Unmarshal(bytes.TrimSpace(body), &failure) == nil {
		p.code = failure.Error.Code
	}
	return p, nil
}
