package state

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// change is one change of a transaction, whose changes all have the same
// partition.
type change struct {
	// method is POST for an entity that must not exist, PUT to replace an entity,
	// DELETE to delete one.
	method         string
	partition, row string
	// entity is the JSON form of the entity. Deletions have none.
	entity []byte
	// etag is the ETag that the entity must have. Without it, PUT also creates the
	// entity. Deletions need one; ETagAny matches all.
	etag azcore.ETag
}

// batch is a transaction on its way through the client of a table.
type batch struct {
	changes []change
	// contentType and answer are the answer of Table Storage, if the batch was sent.
	contentType string
	answer      []byte
}

type batchKey struct{}

// send sends the batch to a table with the pipeline of its client: its retries,
// credentials and other policies.
func (b *batch) send(ctx context.Context, table *aztables.Client) error {
	// batchPolicy replaces this request.
	_, err := table.DeleteEntity(context.WithValue(ctx, batchKey{}, b), "batch", "batch", nil)
	if err == nil && b.contentType == "" {
		err = errors.New("the client of the tables sends no transactions; create it with state.ClientOptions")
	}
	return err
}

// batchPolicy sends the batch in the context of a request in place of the request.
//
// aztables.Client.SubmitTransaction does the same, but it decodes and encodes each
// entity again, copies it through a buffer of 32 KiB, and parses the answer without
// returning the ETags. It took 60 % of all memory that a step allocated.
type batchPolicy struct{}

// Do implements policy.Policy.
func (batchPolicy) Do(req *policy.Request) (*http.Response, error) {
	b, ok := req.Raw().Context().Value(batchKey{}).(*batch)
	if !ok {
		return req.Next()
	}
	if err := b.replace(req); err != nil {
		return nil, err
	}
	answer, err := req.Next()
	if err != nil || answer.StatusCode != http.StatusAccepted {
		return answer, err
	}
	defer func() { _ = answer.Body.Close() }()
	b.contentType = cmp.Or(answer.Header.Get("Content-Type"), "none")
	if b.answer, err = runtime.Payload(answer); err != nil {
		return nil, fmt.Errorf("read transaction answer: %w", err)
	}
	// The client expects this answer to the request that was replaced.
	return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody, Request: req.Raw()}, nil
}

// replace turns a request for an entity of the table into the batch.
//
// Source: https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
func (b *batch) replace(req *policy.Request) error {
	raw := req.Raw()
	path := raw.URL.EscapedPath()
	slash := strings.LastIndexByte(path, '/')
	table, _, _ := strings.Cut(path[slash+1:], "(")
	service := url.URL{Scheme: raw.URL.Scheme, Host: raw.URL.Host, Path: raw.URL.Path[:strings.LastIndexByte(raw.URL.Path, '/')+1]}

	boundary := rand.Text()
	body := b.encode(service.String()+table, boundary)
	service.Path += "$batch"
	*raw.URL = service
	raw.Method = http.MethodPost
	raw.Header.Del("If-Match")
	return req.SetBody(streaming.NopCloser(bytes.NewReader(body)), "multipart/mixed; boundary=batch_"+boundary)
}

// changeOverhead is about the size of a change without its entity and keys.
const changeOverhead = 400

// encode returns the body of the batch: a changeset with a request for each change.
func (b *batch) encode(table, boundary string) []byte {
	size := changeOverhead
	for _, c := range b.changes {
		size += changeOverhead + len(table) + len(c.partition) + len(c.row) + len(c.entity)
	}
	body := make([]byte, 0, size)
	body = append(body, "--batch_"+boundary+"\r\nContent-Type: multipart/mixed; boundary=changeset_"+boundary+"\r\n\r\n"...)
	for _, c := range b.changes {
		body = append(body, "--changeset_"+boundary+"\r\nContent-Transfer-Encoding: binary\r\nContent-Type: application/http\r\n\r\n"...)
		body = c.append(body, table)
		body = append(body, "\r\n"...)
	}
	return append(body, "--changeset_"+boundary+"--\r\n\r\n--batch_"+boundary+"--\r\n"...)
}

// append appends the request of the change.
func (c change) append(body []byte, table string) []byte {
	body = append(append(append(body, c.method...), ' '), table...)
	if c.method != http.MethodPost {
		body = append(body, "(PartitionKey='"+url.PathEscape(c.partition)+"',RowKey='"+url.PathEscape(c.row)+"')"...)
	}
	body = append(body, " HTTP/1.1\r\nAccept: application/json;odata=minimalmetadata\r\nDataServiceVersion: 3.0\r\n"...)
	if c.method == http.MethodPost {
		body = append(body, "Prefer: return-no-content\r\n"...)
	}
	if c.etag != "" {
		body = append(body, "If-Match: "+string(c.etag)+"\r\n"...)
	}
	if len(c.entity) > 0 {
		body = append(body, "Content-Type: application/json\r\nContent-Length: "...)
		body = append(strconv.AppendInt(body, int64(len(c.entity)), 10), "\r\n"...)
	}
	return append(append(body, "\r\n"...), c.entity...)
}
